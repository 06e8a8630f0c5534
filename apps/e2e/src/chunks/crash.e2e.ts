import { existsSync } from 'node:fs';
import { NbdError } from '@holdfast/nbd-protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { balancedLedger } from '../support/balanced-ledger.js';
import { eventually } from '../support/eventually.js';
import { openWhenServed } from '../support/nbd-session.js';
import { isRoot, requirement } from '../support/requirements.js';
import { CHUNK_BYTES, ChunkInstance, chunksFrom, ENTRIES } from './chunk-instance.js';
import { fencePoints } from './steps.js';

const needs = requirement({ root: isRoot, '/dev/loop-control': existsSync('/dev/loop-control') });

describe.skipIf(needs.missing)(`a change of a map that a client is served ${needs.note}`, () => {
  let instance: ChunkInstance;

  beforeAll(async () => {
    instance = await ChunkInstance.start();
  });

  it.each(fencePoints)('Law 2 Law 4 whose process is killed at %s is whole or nothing', async (point) => {
    const { holdfast, faults } = instance;
    const name = point.replace('.', '-');
    await instance.publish(name);
    await instance.hold(name, chunksFrom(64 * (1 + fencePoints.indexOf(point))));
    const session = await openWhenServed(holdfast, name);
    const written = Buffer.alloc(CHUNK_BYTES, point);
    expect((await session.write(0, written)).error).toBe(0);

    faults.arm(point);
    const told = holdfast.cli('map', 'free', name);
    await faults.reached(point);
    const pid = holdfast.kill('allocator-verifier');
    faults.letGo();
    await holdfast.restarted('allocator-verifier', pid);
    expect((await told).code).not.toBe(0);

    // Its requests waited, or did not; they are answered, by what the records say.
    const isFreed = point === 'fence.changed';
    const { error, data } = await session.read(0, CHUNK_BYTES);
    expect(error).toBe(0);
    expect(data.equals(isFreed ? Buffer.alloc(CHUNK_BYTES) : written)).toBe(true);

    await eventually('the map to be freed', async () => (await holdfast.cli('map', 'free', name)).code === 0);
    expect((await session.read(0, ENTRIES * CHUNK_BYTES)).data.every((byte) => byte === 0)).toBe(true);
    expect((await session.write(0, written)).error).toBe(NbdError.ENOSPC);
    session.hangUp();
    await balancedLedger(holdfast);
  });

  it('Law 4 is refused while the worker does not answer, and clients go on', async () => {
    const { holdfast } = instance;
    await instance.publish('stopped');
    await instance.hold('stopped', chunksFrom(0));
    const session = await openWhenServed(holdfast, 'stopped');
    expect((await session.read(0, 512)).error, 'the worker has it').toBe(0);
    const worker = holdfast.kill('io-worker', 'SIGSTOP');
    const { code, stderr } = await holdfast.cli('map', 'free', 'stopped');
    process.kill(worker, 'SIGCONT');
    expect([code, stderr]).toEqual([1, expect.stringContaining('SERVICE_UNAVAILABLE')]);
    expect((await session.write(0, Buffer.alloc(512, 7))).error).toBe(0);
    expect(instance.chunk(0, 512)).toEqual(Buffer.alloc(512, 7));
    await instance.does('map', 'free', 'stopped');
    expect((await session.write(0, Buffer.alloc(512, 7))).error).toBe(NbdError.ENOSPC);
    session.hangUp();
  });
});
