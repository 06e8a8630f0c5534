import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import { openRaw } from '../testing/raw-connection.js';
import { attach, deviceOf, leaseOf } from '../testing/records.js';
import type { Store } from '../store.js';
import { AUDIT_RECORDS_KEPT } from './audit-log.js';
import type { Cause } from './audit-record.js';

const asked: Cause = { actor: 'operator', reason: 'somebody asked' };

async function changes(store: Store, after = 0n): Promise<string[]> {
  const records = await store.audit.listAfter(after, 100);
  return records.map(({ from, to, lease }) => `${lease === undefined ? '' : 'lease '}${from}→${to}`);
}

describeDatabases('the audit log', (database) => {
  test('Law 2 every change has its record: who, when, why, of what', async () => {
    const store = await database.open();
    const before = Date.now();
    await store.devices.create(deviceOf('a'), asked);
    const [record] = await store.audit.listAfter(0n, 10);
    expect(record).toEqual({
      number: expect.any(BigInt) as bigint,
      time: expect.any(Date) as Date,
      deviceId: 'a',
      from: '',
      to: 'REGISTERED',
      ...asked,
    });
    expect(Math.abs((record?.time.getTime() ?? 0) - before)).toBeLessThan(10_000);
  });

  test('the whole life of a device is in it, in order', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    const { number } = await store.leases.grant(leaseOf('a', 's'), { actor: 'gateway', reason: 'a client' });
    await store.leases.release([number]);
    await store.attachments.beginDetach('a', {}, asked);
    await store.attachments.transition(id, 'DETACHING', 'RELEASED');
    await store.devices.remove('a');
    expect(await changes(store)).toEqual([
      '→REGISTERED',
      '→ATTACHING',
      'ATTACHING→CONNECTED',
      'lease →GRANTED',
      'lease GRANTED→RELEASED',
      'CONNECTED→DETACHING',
      'DETACHING→RELEASED',
      'REGISTERED→REMOVED',
    ]);
    const leases = (await store.audit.listAfter(0n, 100)).filter(({ lease }) => lease !== undefined);
    expect(leases.map(({ lease, attachmentId }) => [lease, attachmentId])).toEqual([
      [number, id],
      [number, id],
    ]);
  });

  test('what is refused, repeated or of no effect leaves no record', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    await store.leases.grant(leaseOf('a', 's'));
    const { newest = 0n } = (await store.audit.range()) ?? {};
    await store.devices.create(deviceOf('a'));
    await store.attachments.begin('a');
    await store.leases.grant(leaseOf('a', 's'));
    await store.leases.release([9999n]);
    await store.devices.remove('absent');
    await expect(store.attachments.beginDetach('a')).rejects.toThrow();
    await expect(store.devices.remove('a')).rejects.toThrow();
    await expect(store.attachments.transition(id, 'DETACHING', 'RELEASED')).rejects.toThrow();
    expect(await changes(store, newest)).toEqual([]);
  });

  test('followed while many write, its numbers miss nobody', async () => {
    const store = await database.open();
    const seen: bigint[] = [];
    let last = 0n;
    let reading = Promise.resolve();
    const end = store.audit.onWritten(() => {
      reading = reading.then(async () => {
        for (const { number } of await store.audit.listAfter(last, 1000)) {
          seen.push(number);
          last = number;
        }
      });
    });
    await Promise.all(
      Array.from({ length: 60 }, (_, index) => store.devices.create(deviceOf(String(index)))),
    );
    await reading;
    end();
    expect(seen).toEqual((await store.audit.listAfter(0n, 1000)).map(({ number }) => number));
    expect(seen).toHaveLength(60);
  });

  test('what is older than it keeps goes, and nothing that it keeps', async () => {
    const url = await database.create();
    const store = await database.open(url);
    await store.devices.create(deviceOf('old'));
    const { newest: old = 0n } = (await store.audit.range()) ?? {};
    const raw = await openRaw(url);
    const last = AUDIT_RECORDS_KEPT * 2;
    await raw.execute(
      database.kind === 'sqlite'
        ? `UPDATE sqlite_sequence SET seq = ${String(last)} WHERE name = 'Audit'`
        : `SELECT setval('"Audit_number_seq"', ${String(last)})`,
    );
    await raw.close();
    await store.devices.create(deviceOf('young'));
    expect(await store.audit.range()).toMatchObject({ newest: BigInt(last) + 1n });
    expect(old).toBeLessThan(last);
    // It looks for old ones every thousand records.
    await store.audit.transaction(asked, (_tx, note) => {
      for (let count = 0; count < 1_000; count++) note({ deviceId: 'young', from: 'a', to: 'b' });
      return Promise.resolve();
    });
    expect(await store.audit.range()).toMatchObject({ oldest: BigInt(last) + 1n });
    expect(await store.audit.listAfter(0n, 2_000)).toHaveLength(1_001);
  });

  test('it knows how far back it goes', async () => {
    const store = await database.open();
    expect(await store.audit.range()).toBeUndefined();
    await store.devices.create(deviceOf('a'));
    await store.devices.create(deviceOf('b'));
    const [first, second] = await store.audit.listAfter(0n, 10);
    expect(await store.audit.range()).toEqual({ oldest: first?.number, newest: second?.number });
  });
});
