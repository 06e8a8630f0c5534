import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { createLogger } from '@holdfast/service';
import { openStore } from '@holdfast/store';
import { expect, onTestFinished, test } from 'vitest';
import { AllocatorReconciler } from '../allocator/allocator.reconciler.js';
import { AllocatorService } from '../allocator/allocator.service.js';
import { ChunkPools } from '../chunk/chunk-pools.js';
import { MapFence } from '../fence/map-fence.js';
import { WorkerLink } from '../fence/worker-link.js';
import { RegistryLink } from '../registry/registry-link.js';
import { MapService } from './map.service.js';

/** The services on real records; nobody listens where registry and worker would be: memory needs none, nor
 * do maps that nobody is served. */
async function startServices() {
  const folder = temporaryFolder();
  const store = await openStore({ url: `file:${path.join(folder, 'records.db')}` });
  const pools = new ChunkPools(store.chunks);
  const registry = new RegistryLink(`unix:${path.join(folder, 'registry.sock')}`);
  const allocators = new AllocatorService(store, registry, pools);
  const logger = createLogger('test', 'silent');
  const reconciler = new AllocatorReconciler(store, pools, allocators, logger);
  const worker = new WorkerLink(`unix:${path.join(folder, 'worker.sock')}`);
  const fence = new MapFence(store, worker, logger);
  onTestFinished(async () => {
    await reconciler.stop();
    registry.close();
    worker.close();
    await store.close();
  });
  return { store, pools, allocators, reconciler, maps: new MapService(store, pools, reconciler, fence) };
}

const memory = (name: string) => ({ name, offset: 0n, length: 2n ** 26n, chunkBytes: 4096 });

test('C3 a map that is freed frees what it holds with the allocator of each, and only then the allocators go', async () => {
  const { store, pools, allocators, maps } = await startServices();
  const [a, b] = [await allocators.create(memory('a')), await allocators.create(memory('b'))];
  const { number: mapNumber } = await store.maps.create({ name: 'm', entries: 3000, fields: ['f', 'g'] });
  const slots = (field: string) => Array.from({ length: 1500 }, (_, entry) => ({ mapNumber, field, entry }));
  await pools.allocate({ allocatorNumber: a.number, slots: slots('f') });
  await pools.allocate({ allocatorNumber: b.number, slots: slots('g') });

  expect(await allocators.destroy('a')).toMatchObject({ state: 'DRAINING' });
  expect(await allocators.destroy('a')).toMatchObject({ state: 'DRAINING' });
  await expect(allocators.create(memory('a'))).rejects.toMatchObject({ code: 'ALLOCATOR_EXISTS' });
  const late = pools.allocate({ allocatorNumber: a.number, slots: [{ mapNumber, field: 'f', entry: 2000 }] });
  await expect(late).rejects.toMatchObject({ code: 'ALLOCATOR_NOT_FOUND' });
  expect(pools.find(a.number)).toMatchObject({ allocated: 1500 });

  await maps.free('m');
  await maps.free('m');
  await expect.poll(() => store.allocators.find('a')).toBeUndefined();
  expect(pools.find(a.number)).toBeUndefined();
  expect(await store.allocators.get('b')).toMatchObject({ state: 'ACTIVE' });
  expect(pools.find(b.number)).toMatchObject({ allocated: 0, free: 2 ** 14 });
  const events = (await store.verifierAudit.listAfter(0n, 10_000)).map(
    ({ subject, event }) => `${subject} ${event}`,
  );
  expect(events.indexOf('allocators/a destroyed')).toBeGreaterThan(
    events.lastIndexOf('maps/1/f/1499 cleared'),
  );
});

test('Law 2 a registry that does not answer: what was begun is told, and finished when it does', async () => {
  const { store, allocators } = await startServices();
  const region = { ...memory('d'), deviceId: 'disk' };
  await expect(allocators.create(region)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  // Whether it has reserved the device is not known.
  expect(await store.allocators.get('d')).toMatchObject({ state: 'CREATING' });
  await expect(allocators.destroy('d')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(await store.allocators.get('d')).toMatchObject({ state: 'DESTROYING' });
});
