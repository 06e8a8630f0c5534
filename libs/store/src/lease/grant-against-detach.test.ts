import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import { attach, leaseOf } from '../testing/records.js';

/** Rounds of the race; breaking the lock is noticed within the first dozen. */
const ROUNDS = 80;

describeDatabases('granting and detaching at the same time', (database) => {
  test('Law 1: never both succeed, whoever is first', async () => {
    const url = await database.create();
    const [granting, detaching] = [await database.open(url), await database.open(url)];
    const { id } = await attach(granting, 'a');
    // Whoever lost is called sooner the next time, so that the two keep meeting.
    let detachFirstMs = 0;
    const outcomes = { granted: 0, detached: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const [detach, ...grants] = await Promise.allSettled([
        sleep(Math.max(0, -detachFirstMs)).then(() => detaching.attachments.beginDetach('a')),
        ...['x', 'y', 'z'].map((name) =>
          sleep(Math.max(0, detachFirstMs)).then(() =>
            granting.leases.grant(leaseOf('a', `${name}${String(round)}`)),
          ),
        ),
      ]);
      const leases = await granting.leases.listAll();
      const device = await granting.devices.get('a');
      if (detach.status === 'fulfilled') {
        outcomes.detached += 1;
        detachFirstMs -= 1;
        expect(device.attachment?.state).toBe('DETACHING');
        expect(leases).toEqual([]);
        for (const grant of grants) expect(grant).toMatchObject({ reason: { code: 'DEVICE_NOT_ATTACHED' } });
        await detaching.attachments.transition(id, 'DETACHING', 'CONNECTED');
      } else {
        outcomes.granted += 1;
        detachFirstMs += 1;
        expect(detach.reason).toMatchObject({ code: 'DEVICE_IN_USE' });
        expect(device.attachment?.state).toBe('CONNECTED');
        expect(leases.length).toBeGreaterThan(0);
        await granting.leases.release(leases.map(({ number }) => number));
      }
    }
    // A race that always ends the same way proves nothing.
    expect(outcomes.granted).toBeGreaterThan(0);
    expect(outcomes.detached).toBeGreaterThan(0);
  }, 60_000);

  test('Law 1: a lease whose session ends while the device is detached leaves one of the two answers', async () => {
    const url = await database.create();
    const [one, other] = [await database.open(url), await database.open(url)];
    const { id } = await attach(one, 'a');
    for (let round = 0; round < 30; round += 1) {
      const { number } = await one.leases.grant(leaseOf('a', `s${String(round)}`));
      const [detach] = await Promise.allSettled([
        other.attachments.beginDetach('a'),
        one.leases.release([number]),
      ]);
      expect(await one.leases.listAll()).toEqual([]);
      const { attachment } = await one.devices.get('a');
      expect(attachment?.state).toBe(detach.status === 'fulfilled' ? 'DETACHING' : 'CONNECTED');
      if (detach.status === 'fulfilled') await other.attachments.transition(id, 'DETACHING', 'CONNECTED');
    }
  });
});
