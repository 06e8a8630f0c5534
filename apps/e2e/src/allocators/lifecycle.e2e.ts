import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { isRoot, requirement } from '../support/requirements.js';
import { AllocatorInstance } from './allocator-instance.js';

const needs = requirement({ root: isRoot, '/dev/loop-control': existsSync('/dev/loop-control') });

describe.skipIf(needs.missing)(`an allocator on a loop device ${needs.note}`, () => {
  let instance: AllocatorInstance;

  beforeAll(async () => {
    instance = await AllocatorInstance.start();
  });

  it('Law 1 keeps its device attached, by name, also against force', async () => {
    await instance.create('pool');
    for (const force of [[], ['--force'], ['--deadline', '1']]) {
      const refused = await instance.failure('device', 'detach', 'disk', ...force);
      expect(refused).toContain('allocators/pool');
      expect(refused).toContain('DEVICE_IN_USE');
    }
    expect(await instance.failure('device', 'remove', 'disk')).toContain('allocators/pool');
    expect(await instance.does('device', 'explain', 'disk')).toContain('allocators/pool has reserved disk');
    expect(await instance.does('device', 'show', 'disk')).toContain('connected');
  });

  it('is the same after kill -9, and holds its device all the time', async () => {
    const before = await instance.list();
    expect(before).toMatchObject([
      { name: 'allocators/pool', state: 'STATE_ACTIVE', capacity: 256, free: 256 },
    ]);
    const { holdfast } = instance;
    await holdfast.restarted('allocator-verifier', holdfast.kill('allocator-verifier'));
    expect(await instance.failure('device', 'detach', 'disk')).toContain('allocators/pool');
    expect(await eventually('the allocator-verifier to answer', () => instance.list())).toEqual(before);
  });

  it('keeps its device also when registry and worker die, and while it is attached anew', async () => {
    const { holdfast } = instance;
    const [registry, worker] = [holdfast.kill('device-registry'), holdfast.kill('io-worker')];
    await holdfast.restarted('device-registry', registry);
    await holdfast.restarted('io-worker', worker);
    await eventually('the device to be attached anew', async () => {
      const { stdout } = await holdfast.cli('device', 'show', 'disk');
      return stdout.includes('connected');
    });
    expect(await instance.failure('device', 'detach', 'disk', '--force')).toContain('allocators/pool');
  });

  it('shares the device with another, but no byte of it', async () => {
    const create = ['allocator', 'create', 'other', '--device', 'disk', '--chunk', '4K', '--offset', '8M'];
    expect(await instance.failure(...create)).toContain('POOL_IN_USE');
    expect(await instance.list()).toHaveLength(1);
  });

  it('lets go of its device when it is destroyed', async () => {
    expect(await instance.does('allocator', 'explain', 'pool')).toContain('nothing relies on pool');
    await instance.does('allocator', 'destroy', 'pool');
    await instance.does('allocator', 'destroy', 'pool');
    expect(await instance.list()).toEqual([]);
    await instance.does('device', 'detach', 'disk');
    await instance.does('device', 'remove', 'disk');
  });

  it('is refused where it can write nothing', async () => {
    const create = ['allocator', 'create', 'x', '--chunk', '4K'];
    expect(await instance.failure(...create, '--device', 'disk')).toContain('DEVICE_NOT_FOUND');
    await instance.does(...create, '--memory', '1M');
    expect(await instance.list()).toMatchObject([{ name: 'allocators/x', capacity: 256 }]);
    await instance.does('allocator', 'destroy', 'x');
  });

  it('a map is created, shown and freed', async () => {
    await instance.does('map', 'create', 'volume', '--entries', '8', '--field', 'chunk', '--field', 'spare');
    expect(await instance.does('map', 'show', 'volume')).toMatch(/fields: +chunk, spare/);
    expect(await instance.failure('map', 'create', 'volume', '--entries', '9', '--field', 'chunk')).toContain(
      'MAP_EXISTS',
    );
    await instance.does('map', 'free', 'volume');
    await instance.does('map', 'free', 'volume');
    expect(await instance.failure('map', 'show', 'volume')).toContain('MAP_NOT_FOUND');
  });
});
