import { HoldfastError } from '@holdfast/foundation';
import { beforeAll, describe, expect, it } from 'vitest';
import { Faults } from '../crash/fault.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { getDevice, listLeases, listSessions } from '../support/instance-facts.js';
import { leftoversOf, nothing, servicesOf } from '../support/leftovers.js';
import { openWhenServed, type NbdSession } from '../support/nbd-session.js';
import { upgradePoints, upgradeSteps, upgradeVictims, type UpgradeVictim } from './steps.js';
import { upgradeWorker, workersOf } from './upgrade-worker.js';

describe('kill -9 in the middle of an upgrade', () => {
  const faults = new Faults();
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)], env: faults.env });
  });

  describe.each(upgradePoints.map((point) => ({ point })))('at $point', ({ point }) => {
    const fates = upgradeSteps[point];
    const cases = upgradeVictims.map((victim) => ({ victim, fate: fates?.[victim] }));

    it.each(cases)('Law 1 Law 2 of $victim: clients $fate', async ({ victim, fate }) => {
      const client = await openWhenServed(holdfast, 'disk.img');
      expect(await client.write(0, Buffer.from('before'), { fua: true })).toMatchObject({ error: 0 });
      const epoch = await epochOf(holdfast);
      const [old] = workersOf(holdfast);
      faults.arm(point);
      const upgrade = upgradeWorker(holdfast).then(
        () => 'done',
        (error: unknown) => (error instanceof HoldfastError ? error.code : String(error)),
      );
      await faults.reached(point);
      process.kill(pidOf(victim, old), 'SIGKILL');
      faults.letGo();

      // Only who has taken over, and lives, is a success.
      const hasTakenOver = point === 'upgrade.served' || point === 'upgrade.moved';
      expect(await upgrade).toBe(fate === 'go on' && hasTakenOver ? 'done' : 'UPGRADE_FAILED');
      expect(await fateOf(client)).toBe(fate);
      await atRest(holdfast, fate === 'go on' ? 1 : 0);
      expect(await epochOf(holdfast)).toBe(epoch);

      const next = await openWhenServed(holdfast, 'disk.img');
      expect((await next.read(0, 6)).data.toString()).toBe('before');
      // Nothing of what failed is in the way of the next.
      expect((await upgradeWorker(holdfast)).takeover?.sessions).toBe(fate === 'go on' ? 2 : 1);
      expect((await next.read(0, 6)).data.toString()).toBe('before');
      for (const one of [client, next]) one.hangUp();
      await atRest(holdfast, 0);
    });
  });

  it('Law 1 a new worker that takes too long has nothing to say any more: clients go on with the old one', async () => {
    const client = await openWhenServed(holdfast, 'disk.img');
    expect(await client.write(0, Buffer.from('before'), { fua: true })).toMatchObject({ error: 0 });
    const old = workersOf(holdfast);
    faults.arm('upgrade.received');
    const upgrade = upgradeWorker(holdfast).catch((error: unknown) => error);
    await faults.reached('upgrade.received');
    // Answered when the old worker has called the handover off, after ten seconds.
    expect(await fateOf(client)).toBe('go on');
    faults.letGo();
    expect(await upgrade).toMatchObject({
      code: 'UPGRADE_FAILED',
      message: expect.stringMatching(/called off|did not take over within 10 s/) as string,
    });
    expect(workersOf(holdfast)).toEqual(old);
    // That the other process is gone, with its descriptors of the same sockets, means nothing to them.
    expect(await fateOf(client)).toBe('go on');
    client.hangUp();
    await atRest(holdfast, 0);
  });

  function pidOf(victim: UpgradeVictim, old: number | undefined): number {
    const pid = workersOf(holdfast).find((one) => (one === old) === (victim === 'the old worker'));
    if (pid === undefined) throw new Error(`${victim} does not run`);
    return pid;
  }
});

describe('kill -9 of the supervisor in the middle of an upgrade', () => {
  it.each(upgradePoints)('at %s ends both workers, and everything else', async (point) => {
    const faults = new Faults();
    const image = makeImage(MIB);
    await using holdfast = await startHoldfast({ images: [image], env: faults.env });
    const client = await openWhenServed(holdfast, 'disk.img');
    expect(await client.write(0, Buffer.from('before'), { fua: true })).toMatchObject({ error: 0 });
    faults.arm(point);
    const upgrade = upgradeWorker(holdfast).catch((error: unknown) => error);
    await faults.reached(point);
    holdfast.signal('SIGKILL');
    faults.letGo();
    expect(await upgrade).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await eventually('the services to end', () => servicesOf(holdfast.state).length === 0);
    const { processes, holders } = await leftoversOf(holdfast, [image]);
    expect({ processes, holders }).toEqual({ processes: [], holders: [] });
    client.hangUp();

    await using next = await startHoldfast({ images: [image], state: holdfast.state, port: holdfast.port });
    const session = await openWhenServed(next, 'disk.img');
    expect((await session.read(0, 6)).data.toString()).toBe('before');
    expect((await upgradeWorker(next)).takeover?.sessions).toBe(1);
    expect((await session.read(0, 6)).data.toString()).toBe('before');
    session.hangUp();
    expect(await next.stop()).toBe(0);
    expect(await leftoversOf(next, [image])).toEqual(nothing);
  });
});

async function fateOf(client: NbdSession): Promise<string> {
  return client.read(0, 6).then(
    ({ error, data }) => (error === 0 && data.toString() === 'before' ? 'go on' : `error ${String(error)}`),
    () => 'are cut off',
  );
}

/** One worker, and as many sessions and leases as there are clients. */
async function atRest(holdfast: Holdfast, clients: number): Promise<void> {
  await eventually('everything to be at rest', async () => {
    try {
      const counts = [(await listSessions(holdfast)).length, (await listLeases(holdfast)).length];
      return workersOf(holdfast).length === 1 && counts.every((count) => count === clients);
    } catch {
      // A service that is being started again.
      return false;
    }
  });
}

async function epochOf(holdfast: Holdfast): Promise<bigint | undefined> {
  return (await getDevice(holdfast, 'disk.img')).attachment?.epoch;
}
