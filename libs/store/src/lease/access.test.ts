import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import { attach, leaseOf } from '../testing/records.js';

describeDatabases('leases beside each other', (database) => {
  test.each([
    ['EXCLUSIVE', '', 'EXCLUSIVE', '', false],
    ['EXCLUSIVE', '', 'READ_WRITE', '', false],
    ['READ_WRITE', '', 'EXCLUSIVE', '', false],
    ['READ_ONLY', '', 'EXCLUSIVE', '', false],
    ['READ_WRITE', 'a', 'READ_WRITE', 'b', false],
    ['READ_WRITE', '', 'READ_WRITE', 'b', false],
    ['READ_WRITE', 'a', 'READ_WRITE', '', false],
    ['READ_WRITE', '', 'READ_WRITE', '', true],
    ['READ_WRITE', 'a', 'READ_WRITE', 'a', true],
    ['READ_WRITE', 'a', 'READ_ONLY', '', true],
  ] as const)('%s of %j, then %s of %j: granted %s', async (first, oneGroup, second, otherGroup, granted) => {
    const store = await database.open();
    await attach(store, 'a');
    await attach(store, 'b');
    await store.leases.grant(leaseOf('a', 'one', { access: first, clientGroup: oneGroup }));
    const request = leaseOf('a', 'other', { access: second, clientGroup: otherGroup });
    if (granted) await store.leases.grant(request);
    else
      await expect(store.leases.grant(request)).rejects.toMatchObject({
        code: 'LEASE_CONFLICT',
        message: expect.stringContaining('sessions one') as string,
      });
    // Another device is another matter.
    await store.leases.grant({ ...request, deviceId: 'b', session: 'third' });
  });

  test('of many that want it for themselves at once, one gets it', async () => {
    const url = await database.create();
    const [store, other] = [await database.open(url), await database.open(url)];
    await attach(store, 'a');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => {
        const access = index % 3 === 0 ? 'READ_WRITE' : 'EXCLUSIVE';
        const request = leaseOf('a', String(index), { access, clientGroup: String(index) });
        return (index % 2 === 0 ? store : other).leases.grant(request);
      }),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'LEASE_CONFLICT' });
    }
  });

  test('an exclusive grant that is repeated for its session is the same lease, not in its own way', async () => {
    const store = await database.open();
    await attach(store, 'a');
    const request = leaseOf('a', 's', { access: 'EXCLUSIVE' });
    expect(await store.leases.grant(request)).toEqual(await store.leases.grant(request));
    expect(await store.leases.listAll()).toHaveLength(1);
  });

  test('Law 4 a grant that is repeated after its session was cut off is refused', async () => {
    const store = await database.open();
    await attach(store, 'a');
    const { number } = await store.leases.grant(leaseOf('a', 's'));
    await store.leases.fence('a');
    await expect(store.leases.grant(leaseOf('a', 's'))).rejects.toMatchObject({
      code: 'LEASE_REFUSED',
      message: expect.stringContaining('cut off') as string,
      metadata: { session: 's', lease: String(number) },
    });
  });

  test('Law 1 a fenced lease keeps its device until it is released', async () => {
    const store = await database.open();
    await attach(store, 'a');
    const { number } = await store.leases.grant(leaseOf('a', 's'));
    expect(await store.leases.fence('a')).toMatchObject([{ number, state: 'FENCED', session: 's' }]);
    expect(await store.leases.fence('a')).toMatchObject([{ number, state: 'FENCED' }]);
    await expect(store.attachments.beginDetach('a')).rejects.toMatchObject({ code: 'DEVICE_IN_USE' });
    await store.leases.release([number]);
    expect((await store.attachments.beginDetach('a')).kind).toBe('detaching');
  });
});
