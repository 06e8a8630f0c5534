import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { expect, test } from 'vitest';
import { filling } from '../testing/programs.js';
import { startVerifier } from '../testing/verifier.js';

const start = () => startVerifier(`file:${path.join(temporaryFolder(), 'records.db')}`);

const FILL = `program fill(from) {
  r1 = arg from
  loop r2 times 1500 {
    r3 = r1 + r2
    r0 = alloc a
    if r0 is not null {
      r0 = xchg m[r3].f, r0
      if r0 is not null {
        free r0
      }
    }
  }
}
`;

test('C3 a map that is freed frees what it holds with the allocator of each, and only then the allocators go', async () => {
  const v = await start();
  const [a, b] = [await v.createAllocator('a', 4096), await v.createAllocator('b')];
  await v.maps.create({ name: 'm', entries: 3000, fields: ['f', 'g'] });
  await v.load(FILL);
  await v.load(filling('other', 'b', 'm.g'));
  expect(await v.run('fill', { from: 0 })).toMatchObject({ allocated: 1500 });
  await v.run('other', { entry: 7 });
  await v.unload('fill');
  await v.unload('other');

  expect(await v.allocators.destroy('a')).toMatchObject({ state: 'DRAINING' });
  expect(await v.allocators.destroy('a')).toMatchObject({ state: 'DRAINING' });
  await expect(v.createAllocator('a', 4096)).rejects.toMatchObject({ code: 'ALLOCATOR_EXISTS' });
  expect(await v.rejection(FILL)).toBe('allocator-draining');
  expect(v.pools.find(a.number)).toMatchObject({ allocated: 1500 });

  await v.maps.free('m');
  await v.maps.free('m');
  expect(await v.stateOf('a')).toBeUndefined();
  expect(v.pools.find(a.number)).toBeUndefined();
  expect(await v.stateOf('b')).toBe('ACTIVE');
  expect(v.pools.find(b.number)).toMatchObject({ allocated: 0, free: 1024 });
  const events = (await v.store.verifierAudit.listAfter(0n, 10_000)).map(
    ({ subject, event }) => `${subject} ${event}`,
  );
  expect(events.indexOf('allocators/a destroyed')).toBeGreaterThan(
    events.lastIndexOf('maps/1/f/1499 cleared'),
  );
  expect(await v.findings()).toEqual([]);
});

const memory = (name: string) => ({ name, offset: 0n, length: 2n ** 26n, chunkBytes: 4096 });

test('Law 2 a registry that does not answer: what was begun is told, and finished when it does', async () => {
  const { store, allocators } = await start();
  const region = { ...memory('d'), deviceId: 'disk' };
  await expect(allocators.create(region)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  // Whether it has reserved the device is not known.
  expect(await store.allocators.get('d')).toMatchObject({ state: 'CREATING' });
  await expect(allocators.destroy('d')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(await store.allocators.get('d')).toMatchObject({ state: 'DESTROYING' });
});
