import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { registryV1 } from '@holdfast/contracts';
import { faultPoints, type FaultPoint } from '@holdfast/service/fault-points';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { isRoot, requirement } from '../support/requirements.js';
import { allocatorPoints } from '../allocators/steps.js';
import { programPoints } from '../programs/steps.js';
import { fencePoints } from '../chunks/steps.js';
import { upgradePoints } from '../upgrade/steps.js';
import { CrashInstance, REPAIR_MS } from './instance.js';
import { CrashMatrix, victims, type Victim } from './matrix.js';
import { operations, type Operation } from './operations.js';

const { STATE_CONNECTED } = registryV1.Attachment_State;
const needs = requirement({ root: isRoot, '/dev/loop-control': existsSync('/dev/loop-control') });
const page = path.join(import.meta.dirname, '../../../../docs/reference/crashes.md');

describe.skipIf(needs.missing)(`kill -9 at every step ${needs.note}`, () => {
  const matrix = new CrashMatrix();
  let instance: CrashInstance;

  beforeAll(async () => {
    instance = await CrashInstance.start();
  });

  describe.each(operations)('of $name', (operation) => {
    describe.each(operation.points.map((point) => ({ point })))('at $point', ({ point }) => {
      it.each(victims)('Law 1 Law 2 Law 3 D7 D13: %s', (victim) => crash(operation, point, victim));
    });
  });

  it('Law 2 is tried at every step that there is', () => {
    // Those of an upgrade, of allocators, of programs and of fences have victims of their own, and are tried beside them.
    const others = [...upgradePoints, ...allocatorPoints, ...programPoints, ...fencePoints];
    const tried = new Set([...operations.flatMap(({ points }) => points), ...others]);
    expect(tried).toEqual(new Set(Object.keys(faultPoints)));
  });

  it('ends as docs/reference/crashes.md tells', async () => {
    await expect(await matrix.page()).toMatchFileSnapshot(page);
  });

  afterAll(() => {
    const times = matrix.repairTimes();
    const at = (share: number) => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0);
    process.stdout.write(
      `${readFileSync(page, 'utf8')}\n${String(times.length)} crashes; from the kill until all was at rest: ` +
        `median ${String(at(0.5))} ms, longest ${String(at(1))} ms\n`,
    );
  });

  async function crash(operation: Operation, point: FaultPoint, victim: Victim): Promise<void> {
    const { holdfast, faults } = instance;
    const before = await begin(operation);
    faults.arm(point);
    let tellKilled: () => void = () => undefined;
    const { told } = await operation.begin(instance, new Promise<void>((resolve) => (tellKilled = resolve)));
    await faults.reached(point);

    const killedAt = performance.now();
    const pids = holdfast.pids();
    const killed = victim === 'all' ? victims.filter((one) => one !== 'all') : [victim];
    for (const service of killed) holdfast.kill(service);
    tellKilled();
    faults.letGo();
    for (const service of killed) await holdfast.restarted(service, pids.get(service) ?? 0);
    const attachment = await instance.atRest();
    const repairMs = performance.now() - killedAt;

    const attached = attachment.state === STATE_CONNECTED;
    const answer = await told;
    // A detach that its caller was not told the end of may be his to repeat; whatever else was wanted comes by itself.
    if (operation.ends === 'attached' || answer === 'OK')
      expect(attached).toBe(operation.ends === 'attached');
    await expectItsOnly(attached);
    if (attached) await expectItsBytes();
    const workerDied = killed.includes('io-worker') || operation.name === 'adopt by the worker';
    expect(await instance.bystanderGoesOn(), 'the client of another device goes on').toBe(!workerDied);

    const expectedEpoch = before.epoch + (operation.attached ? 0n : 1n);
    const anew = attachment.epoch === expectedEpoch ? '' : ' anew';
    const device = attached ? `attached${anew}` : 'detached';
    matrix.record(operation.name, point, victim, { told: answer, device, repairMs });
  }

  /** Brings the device, its bystander and the fault points to where the operation begins. */
  async function begin(operation: Operation): Promise<{ epoch: bigint }> {
    await instance.bringBystander();
    const detached = (await instance.attachment())?.state !== STATE_CONNECTED;
    if (operation.attached && detached) await instance.attach();
    if (!operation.attached && !detached) await instance.detach({ force: true });
    const attachment = await instance.attachment();
    if (operation.attached) await instance.atRest();
    return { epoch: attachment?.epoch ?? 0n };
  }

  /** D12, D14: one loop device, open once in registry and worker; or none. */
  async function expectItsOnly(attached: boolean): Promise<void> {
    const holders = attached ? { 'device-registry': 1, 'io-worker': 1 } : {};
    await eventually('the loop devices that should be', () => instance.loops().length === (attached ? 1 : 0));
    await expect.poll(() => instance.descriptors(), { timeout: REPAIR_MS }).toEqual(holders);
    if (!attached) return;
    const { recorded, kernel } = await instance.identities();
    expect(recorded).toBe(kernel);
  }

  async function expectItsBytes(): Promise<void> {
    const session = await instance.connectWhenServed();
    const { data } = await session.read(4096, 4096);
    session.hangUp();
    expect(data.equals(readFileSync(instance.image).subarray(4096, 8192))).toBe(true);
  }
});
