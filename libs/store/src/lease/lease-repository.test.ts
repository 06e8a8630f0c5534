import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import { openRaw } from '../testing/raw-connection.js';
import { attach, deviceOf, leaseOf, SIZE_BYTES } from '../testing/records.js';

describeDatabases('leases', (database) => {
  test('a lease says what it is for', async () => {
    const store = await database.open();
    const { id: attachmentId, epoch } = await attach(store, 'a');
    const lease = await store.leases.grant(leaseOf('a', 's1', { access: 'READ_ONLY' }));
    expect(lease).toEqual({
      number: 1n,
      state: 'GRANTED',
      clientGroup: '',
      deviceId: 'a',
      attachmentId,
      epoch,
      access: 'READ_ONLY',
      session: 's1',
      workerInstance: 'worker-1',
      sizeBytes: SIZE_BYTES,
      createTime: expect.any(Date) as Date,
    });
    expect(await store.leases.find(lease.number)).toEqual(lease);
    expect(await store.leases.listAll()).toEqual([lease]);
  });

  test('none is granted on a device that is unknown, never attached, or in any state but CONNECTED', async () => {
    const store = await database.open();
    const grant = () => store.leases.grant(leaseOf('a', 's'));
    await expect(grant()).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
    await store.devices.create(deviceOf('a'));
    await expect(grant()).rejects.toMatchObject({ code: 'DEVICE_NOT_ATTACHED', metadata: { device: 'a' } });
    const { attachment } = await store.attachments.begin('a');
    await expect(grant()).rejects.toMatchObject({ code: 'DEVICE_NOT_ATTACHED' });
    await store.attachments.transition(attachment.id, 'ATTACHING', 'FAILED');
    await expect(grant()).rejects.toMatchObject({ code: 'DEVICE_NOT_ATTACHED' });

    await attach(store, 'b');
    await store.attachments.beginDetach('b');
    await expect(store.leases.grant(leaseOf('b', 's'))).rejects.toMatchObject({
      code: 'DEVICE_NOT_ATTACHED',
      message: 'The device b is not attached: its attachment is DETACHING.',
    });
    expect(await store.leases.listAll()).toEqual([]);
  });

  test('a read-only device is not leased for writing', async () => {
    const store = await database.open();
    await attach(store, 'a', { readOnly: true });
    await expect(store.leases.grant(leaseOf('a', 's'))).rejects.toMatchObject({ code: 'DEVICE_READ_ONLY' });
    await store.leases.grant(leaseOf('a', 's', { access: 'READ_ONLY' }));
  });

  test('repeated for its session, a grant answers with the same lease; for something else it is refused', async () => {
    const store = await database.open();
    await attach(store, 'a');
    await attach(store, 'b');
    const lease = await store.leases.grant(leaseOf('a', 's'));
    expect(await store.leases.grant(leaseOf('a', 's'))).toEqual(lease);
    const others = [
      leaseOf('b', 's'),
      leaseOf('a', 's', { access: 'READ_ONLY' }),
      leaseOf('a', 's', { workerInstance: 'worker-2' }),
    ];
    for (const other of others) {
      await expect(store.leases.grant(other)).rejects.toMatchObject({
        code: 'LEASE_REFUSED',
        metadata: { session: 's', lease: String(lease.number) },
      });
    }
    expect(await store.leases.listAll()).toEqual([lease]);
  });

  test('numbers only rise, and none is used twice, not even the highest after its release', async () => {
    const url = await database.create();
    let store = await database.open(url);
    await attach(store, 'a');
    const seen: bigint[] = [];
    for (let n = 0; n < 5; n += 1) {
      const { number } = await store.leases.grant(leaseOf('a', 's'));
      seen.push(number);
      await store.leases.release([number]);
      if (n === 2) store = await database.open(url);
    }
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => Number(a - b)));
  });

  test('numbers keep all their bits beyond 2^53', async () => {
    const url = await database.create();
    const store = await database.open(url);
    await attach(store, 'a');
    await store.leases.grant(leaseOf('a', 's1'));
    const raw = await openRaw(url);
    await raw.execute(
      database.kind === 'sqlite'
        ? `UPDATE sqlite_sequence SET seq = 9007199254740992 WHERE name = 'Lease'`
        : `SELECT setval('"Lease_number_seq"', 9007199254740992)`,
    );
    await raw.close();
    const { number } = await store.leases.grant(leaseOf('a', 's2'));
    expect(number).toBe(9007199254740993n);
    expect(await store.leases.find(number)).toMatchObject({ number, session: 's2' });
    expect(await store.leases.highestNumber()).toBe(number);
    expect((await store.leases.list({ pageSize: 5, after: number - 1n })).items).toHaveLength(1);
    await store.leases.release([number]);
    expect(await store.leases.find(number)).toBeUndefined();
  });

  test('releasing takes exactly those named; what is absent is OK', async () => {
    const store = await database.open();
    await attach(store, 'a');
    const numbers: bigint[] = [];
    for (let n = 0; n < 5; n += 1)
      numbers.push((await store.leases.grant(leaseOf('a', `s${String(n)}`))).number);
    await store.leases.release([numbers[1] ?? 0n, numbers[3] ?? 0n, 99_999n]);
    await store.leases.release([]);
    await store.leases.release([numbers[1] ?? 0n]);
    expect((await store.leases.listAll()).map(({ session }) => session)).toEqual(['s0', 's2', 's4']);
  });

  test('thousands are released in one transaction', async () => {
    const store = await database.open();
    await attach(store, 'a');
    const { number } = await store.leases.grant(leaseOf('a', 's'));
    const many = Array.from({ length: 40_000 }, (_, index) => BigInt(index) + 1_000_000n);
    await store.leases.release([...many, number]);
    expect(await store.leases.listAll()).toEqual([]);
  });

  test('a list comes in pages, oldest first, of one device or of all', async () => {
    const store = await database.open();
    await attach(store, 'a');
    await attach(store, 'b');
    for (let n = 0; n < 7; n += 1) {
      await store.leases.grant(leaseOf(n % 2 === 0 ? 'a' : 'b', `s${String(n)}`));
    }
    const sessions = async (deviceId?: string) => {
      const seen: string[] = [];
      let after: bigint | undefined;
      do {
        const page = await store.leases.list({ deviceId, pageSize: 2, after });
        seen.push(...page.items.map(({ session }) => session));
        after = page.next;
      } while (after !== undefined);
      return seen;
    };
    expect(await sessions()).toEqual(['s0', 's1', 's2', 's3', 's4', 's5', 's6']);
    expect(await sessions('b')).toEqual(['s1', 's3', 's5']);
  });

  test('the highest number is that of a live lease, and 0 without one', async () => {
    const store = await database.open();
    await attach(store, 'a');
    expect(await store.leases.highestNumber()).toBe(0n);
    const first = await store.leases.grant(leaseOf('a', 's1'));
    const second = await store.leases.grant(leaseOf('a', 's2'));
    expect(await store.leases.highestNumber()).toBe(second.number);
    await store.leases.release([second.number]);
    expect(await store.leases.highestNumber()).toBe(first.number);
  });
});
