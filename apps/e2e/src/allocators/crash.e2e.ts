import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { isRoot, requirement } from '../support/requirements.js';
import { AllocatorInstance } from './allocator-instance.js';
import { allocatorPoints, createPoints, destroyPoints } from './steps.js';

const needs = requirement({ root: isRoot, '/dev/loop-control': existsSync('/dev/loop-control') });

describe.skipIf(needs.missing)(`an allocator-verifier that is killed ${needs.note}`, () => {
  let instance: AllocatorInstance;

  beforeAll(async () => {
    instance = await AllocatorInstance.start();
  });

  /** Has the verifier killed at a step of a command. */
  async function killAt(point: (typeof allocatorPoints)[number], ...args: readonly string[]): Promise<void> {
    const { holdfast, faults } = instance;
    faults.arm(point);
    const told = holdfast.cli(...args);
    await faults.reached(point);
    const pid = holdfast.kill('allocator-verifier');
    faults.letGo();
    await holdfast.restarted('allocator-verifier', pid);
    expect((await told).code).not.toBe(0);
  }

  it('Law 2 is killed at every step that there is', () => {
    expect([...createPoints, ...destroyPoints]).toEqual(allocatorPoints);
  });

  it.each(createPoints)('Law 2 while it creates, at %s: the next one finishes it', async (point) => {
    await killAt(point, 'allocator', 'create', 'pool', '--device', 'disk', '--chunk', '64K');
    await eventually('the allocator to be active', async () => {
      const [allocator] = (await instance.list()) ?? [];
      return allocator?.state === 'STATE_ACTIVE' && allocator.free === 256;
    });
    expect(await instance.holders()).toEqual(['allocators/pool']);
    await instance.create('pool');
    await instance.does('allocator', 'destroy', 'pool');
    expect(await instance.holders()).toEqual([]);
  });

  it.each(destroyPoints)('Law 2 while it destroys, at %s: the next one finishes it', async (point) => {
    await instance.create('pool');
    await killAt(point, 'allocator', 'destroy', 'pool');
    await eventually('the allocator to be gone', async () => (await instance.list())?.length === 0);
    expect(await instance.holders()).toEqual([]);
  });
});
