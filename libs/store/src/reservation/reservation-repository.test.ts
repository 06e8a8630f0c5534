import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import { attach, deviceOf, leaseOf, SIZE_BYTES } from '../testing/records.js';

const HOLDER = 'allocators/x';

describeDatabases('reservations', (database) => {
  test('a device that is attached is reserved, once for a holder', async () => {
    const store = await database.open();
    await attach(store, 'a');
    const first = await store.reservations.reserve('a', HOLDER);
    expect(first).toMatchObject({ sizeBytes: SIZE_BYTES, readOnly: false });
    expect(first.reservation).toMatchObject({ deviceId: 'a', holder: HOLDER });
    expect(await store.reservations.reserve('a', HOLDER)).toEqual(first);
    await store.reservations.reserve('a', 'allocators/y');
    const { items, next } = await store.reservations.list({}, { pageSize: 1 });
    expect(items).toEqual([first.reservation]);
    expect((await store.reservations.list({}, { pageSize: 1, after: next })).items[0]?.holder).toBe(
      'allocators/y',
    );
    expect((await store.reservations.list({ holder: HOLDER }, { pageSize: 9 })).items).toEqual(items);
    expect((await store.reservations.list({ deviceId: 'b' }, { pageSize: 9 })).items).toEqual([]);
  });

  test('Law 1 a reserved device is neither detached nor removed, until it is released', async () => {
    const store = await database.open();
    await attach(store, 'a');
    await store.reservations.reserve('a', HOLDER);
    const inUse = { code: 'DEVICE_IN_USE', metadata: { device: 'a', reservations: HOLDER } };
    await expect(store.attachments.beginDetach('a')).rejects.toMatchObject(inUse);
    await expect(store.reservations.requireNone('a')).rejects.toMatchObject(inUse);
    await expect(store.devices.requireUnused('a')).rejects.toMatchObject(inUse);
    await expect(store.devices.remove('a')).rejects.toMatchObject({ code: 'DEVICE_IN_USE' });
    expect((await store.devices.get('a')).wantedAttached).toBe(true);
    await store.leases.grant(leaseOf('a', 's'));
    await store.reservations.release('a', HOLDER);
    await store.reservations.release('a', HOLDER);
    await store.reservations.requireNone('a');
    await expect(store.attachments.beginDetach('a')).rejects.toMatchObject({ metadata: { sessions: 's' } });
  });

  test('a reservation outlives the attachment: at the end of everything the device is closed, and stays wanted', async () => {
    const store = await database.open();
    await attach(store, 'a');
    const { reservation } = await store.reservations.reserve('a', HOLDER);
    const begun = await store.attachments.beginDetach('a', { keepWanted: true });
    if (begun.kind !== 'detaching') throw new Error('it was attached');
    await store.attachments.transition(begun.attachment.id, 'DETACHING', 'RELEASED');
    await expect(store.devices.remove('a')).rejects.toMatchObject({ code: 'DEVICE_IN_USE' });
    expect((await store.reservations.list({}, { pageSize: 9 })).items).toEqual([reservation]);
  });

  test('what is not attached, or about to be detached, is not reserved', async () => {
    const store = await database.open();
    const reserve = () => store.reservations.reserve('a', HOLDER);
    await expect(reserve()).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
    await store.devices.create(deviceOf('a'));
    await expect(reserve()).rejects.toMatchObject({ code: 'DEVICE_NOT_ATTACHED' });
    await attach(store, 'b');
    await store.attachments.beginDetach('b');
    await expect(store.reservations.reserve('b', HOLDER)).rejects.toMatchObject({
      code: 'DEVICE_NOT_ATTACHED',
    });
  });

  test('of a detach and a reservation at once, one is refused', async () => {
    const store = await database.open();
    for (let round = 0; round < 10; round += 1) {
      const id = `d${String(round)}`;
      await attach(store, id);
      const outcomes = await Promise.allSettled([
        store.reservations.reserve(id, HOLDER),
        store.attachments.beginDetach(id),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }
  });
});
