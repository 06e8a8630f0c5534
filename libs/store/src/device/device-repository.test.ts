import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import type { DeviceBacking } from './device-backing.js';
import { attach, deviceOf, exportOf, leaseOf } from '../testing/records.js';

describeDatabases('devices', (database) => {
  test('a device is answered as it was registered', async () => {
    const { devices } = await database.open();
    const before = Date.now();
    const definition = deviceOf('größe.img', {
      backing: { kind: 'file', path: '/images/ü \u{1f4be}\n' },
      readOnly: true,
      transient: true,
    });
    const created = await devices.create(definition);
    expect(created).toEqual({
      ...definition,
      wantedAttached: false,
      reattachment: 'AUTOMATIC',
      createTime: expect.any(Date) as Date,
    });
    expect(Math.abs(created.createTime.getTime() - before)).toBeLessThan(10_000);
    expect(await devices.get(definition.id)).toEqual(created);
    expect(await devices.find(definition.id)).toEqual(created);
  });

  test.each<DeviceBacking>([
    {
      kind: 'loop',
      path: '/images/a',
      offset: 2 ** 52,
      sizeLimit: 512,
      blockSize: 4096,
      directIo: true,
    },
    { kind: 'block', path: '/dev/sda', expected: { diskseq: 'ffffffffffffffff', serial: '"ü"' } },
    { kind: 'block', path: '/dev/sda', expected: {} },
    { kind: 'block', path: '/dev/sda', expected: {}, directIo: true },
    { kind: 'file', path: '/images/direct', directIo: true },
    { kind: 'nbd', uri: 'nbds://host/ü?tls-certificates=/etc/pki', onDisconnect: 'fail', reconnectMs: 1500 },
  ])('all of a $kind device is kept, and compared when it is registered again', async (backing) => {
    const { devices } = await database.open();
    await devices.create(deviceOf('a', { backing }));
    expect((await devices.get('a')).backing).toStrictEqual(backing);
    expect((await devices.create(deviceOf('a', { backing }))).backing).toStrictEqual(backing);
    const other = changed(backing);
    await expect(devices.create(deviceOf('a', { backing: other }))).rejects.toMatchObject({
      code: 'DEVICE_EXISTS',
    });
  });

  test('repeating a registration answers with the device that exists, attached as it is', async () => {
    const store = await database.open();
    const attachment = await attach(store, 'a');
    expect(await store.devices.create(deviceOf('a'))).toMatchObject({
      id: 'a',
      attachment,
      wantedAttached: true,
    });
  });

  test('another definition under the same id is refused', async () => {
    const { devices } = await database.open();
    await devices.create(deviceOf('a'));
    const elsewhere = { backing: { kind: 'file', path: '/else' } } as const;
    for (const change of [elsewhere, { readOnly: true }, { transient: true }]) {
      await expect(devices.create(deviceOf('a', change))).rejects.toMatchObject({
        code: 'DEVICE_EXISTS',
        metadata: { device: 'a' },
      });
    }
    expect(await devices.get('a')).toMatchObject(deviceOf('a'));
  });

  test('many who register the same device at once all get it', async () => {
    const { devices } = await database.open();
    const all = await Promise.all(Array.from({ length: 20 }, () => devices.create(deviceOf('a'))));
    expect(new Set(all.map(({ createTime }) => createTime.getTime())).size).toBe(1);
  });

  test('what is absent is found by nobody', async () => {
    const { devices } = await database.open();
    expect(await devices.find('a')).toBeUndefined();
    await expect(devices.get('a')).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
    await expect(devices.setWanted('a', true)).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
    await expect(devices.remove('a')).resolves.toBeUndefined();
  });

  test('a list comes in pages, in the order of bytes whatever the language of the database', async () => {
    const { devices } = await database.open();
    // A language would say a, A, b, B, é, z. UTF-16 would put the emoji before U+FFFD.
    const inOrder = ['A', 'B', 'a', 'b', 'z', 'é', '\u{fffd}', '\u{1f4be}'];
    for (const id of ['b', 'z', 'A', '\u{1f4be}', 'é', 'a', '\u{fffd}', 'B'])
      await devices.create(deviceOf(id));

    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await devices.list({ pageSize: 3, after });
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual(inOrder);
    expect((await devices.list({ pageSize: 8 })).next).toBeUndefined();
  });

  test('a page outside of 1–1000 is a bug of the caller', async () => {
    const { devices } = await database.open();
    for (const pageSize of [0, 1001, 1.5, Number.NaN]) {
      await expect(devices.list({ pageSize })).rejects.toThrow('a page has 1–1000 items');
    }
  });

  test('who should be attached is remembered', async () => {
    const { devices } = await database.open();
    for (const id of ['a', 'b', 'c']) await devices.create(deviceOf(id));
    await devices.setWanted('c', true);
    await devices.setWanted('a', true);
    await devices.setWanted('b', true);
    await devices.setWanted('b', false);
    expect((await devices.listWanted()).map(({ id }) => id)).toEqual(['a', 'c']);
  });

  test('Law 1: a device is not removed while it is attached', async () => {
    const store = await database.open();
    await attach(store, 'a');
    await expect(store.devices.remove('a')).rejects.toMatchObject({
      code: 'DEVICE_IN_USE',
      metadata: { device: 'a', attachment: 'CONNECTED' },
    });
    // Refused altogether: it is still wanted.
    expect(await store.devices.get('a')).toMatchObject({ wantedAttached: true });
  });

  test('Law 1: a device is not removed while leases or exports name it, and the message says which', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    const { number } = await store.leases.grant(leaseOf('a', 'session-1'));
    await store.exports.create(exportOf('x'));
    await store.attachments.transition(id, 'CONNECTED', 'LOST');
    await expect(store.devices.remove('a')).rejects.toMatchObject({
      code: 'DEVICE_IN_USE',
      message: 'The device a is used by sessions session-1; exports x.',
    });
    await store.leases.release([number]);
    await expect(store.devices.remove('a')).rejects.toMatchObject({
      metadata: { device: 'a', exports: 'x' },
    });
    await store.exports.remove('x');
    await store.devices.remove('a');
    expect(await store.devices.find('a')).toBeUndefined();
    expect(await store.attachments.listLive()).toEqual([]);
  });

  test('a device that is only attached can be found free to be removed, one that is used cannot', async () => {
    const store = await database.open();
    await attach(store, 'a');
    await store.devices.requireUnused('a');
    await store.devices.requireUnused('absent');
    await store.exports.create(exportOf('x'));
    await expect(store.devices.requireUnused('a')).rejects.toMatchObject({
      code: 'DEVICE_IN_USE',
      message: 'The device a is used by exports x.',
    });
  });

  test('a message names ten sessions and says that there are more', async () => {
    const store = await database.open();
    await attach(store, 'a');
    for (let n = 1; n <= 12; n += 1) await store.leases.grant(leaseOf('a', `s${String(n)}`));
    await expect(store.devices.remove('a')).rejects.toMatchObject({
      metadata: { sessions: 's1, s2, s3, s4, s5, s6, s7, s8, s9, s10 and more' },
    });
  });

  test('Law 2: of removing and attaching at the same time, one is refused or the other finds nothing', async () => {
    const url = await database.create();
    const [one, other] = [await database.open(url), await database.open(url)];
    for (let round = 0; round < 30; round += 1) {
      await one.devices.create(deviceOf('a'));
      const [began, removed] = await Promise.allSettled([
        one.attachments.begin('a'),
        other.devices.remove('a'),
      ]);
      const left = await one.devices.find('a');
      if (began.status === 'fulfilled') {
        expect(removed).toMatchObject({ status: 'rejected', reason: { code: 'DEVICE_IN_USE' } });
        expect(left?.attachment?.id).toBe(began.value.attachment.id);
        await one.attachments.transition(began.value.attachment.id, 'ATTACHING', 'FAILED');
        await one.devices.remove('a');
      } else {
        expect(began.reason).toMatchObject({ code: 'DEVICE_NOT_FOUND' });
        expect(left).toBeUndefined();
      }
    }
  });

  test('of removing a device and publishing it at the same time, one is refused', async () => {
    const url = await database.create();
    const [one, other] = [await database.open(url), await database.open(url)];
    for (let round = 0; round < 30; round += 1) {
      await one.devices.create(deviceOf('a'));
      const [published, removed] = await Promise.allSettled([
        one.exports.create(exportOf('x')),
        other.devices.remove('a'),
      ]);
      const refused = published.status === 'rejected' ? published : removed;
      expect(refused).toMatchObject({
        status: 'rejected',
        reason: { code: published.status === 'rejected' ? 'DEVICE_NOT_FOUND' : 'DEVICE_IN_USE' },
      });
      expect((await one.devices.find('a')) === undefined).toBe(published.status === 'rejected');
      await one.exports.remove('x');
      await one.devices.remove('a');
    }
  });
});

/** The same but for one setting. */
function changed(backing: DeviceBacking): DeviceBacking {
  switch (backing.kind) {
    case 'file':
      return { ...backing, path: '/else' };
    case 'loop':
      return { ...backing, offset: 1 };
    case 'block':
      return { ...backing, expected: { wwn: '1' } };
    case 'nbd':
      return { ...backing, onDisconnect: 'replay' };
  }
}
