import path from 'node:path';
import { workerV1 } from '@holdfast/contracts';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { HoldfastError } from '@holdfast/foundation';
import { expect, onTestFinished, test } from 'vitest';
import { filling } from '../testing/programs.js';
import { RecordingWorker } from '../testing/recording-worker.js';
import { startVerifier } from '../testing/verifier.js';

const ENTRIES = 4;

/** A map with two chunks, on real records, and a worker that records. */
async function startFence() {
  const verifier = await startVerifier(`file:${path.join(temporaryFolder(), 'records.db')}`);
  const { store, pools, maps, fence, newFence } = verifier;
  const worker = await RecordingWorker.start(verifier.workerAddress);
  onTestFinished(() => {
    worker.stop();
  });
  const { number: allocator } = await verifier.createAllocator('pool');
  const { number: map } = await maps.create({ name: 'volume', entries: ENTRIES, fields: ['chunk'] });
  await verifier.load(filling('fill', 'pool', 'volume.chunk'));
  for (const entry of [1, 2]) await verifier.run('fill', { entry });
  await verifier.unload('fill');
  const field = { map, field: 'chunk', allocator };
  const source = workerV1.ChunkSource.fromPartial({ ...field, entries: ENTRIES });
  const freeFirst = async () => {
    const cleared = verifier.lifetimes.memory.values.ofMap(map, 1);
    await pools.change([allocator], async (batch) => {
      for (const { chunk: index, generation } of cleared)
        batch.release({ owner: allocator, index, generation });
      await store.chunks.applyAll({ handingOut: [], pages: batch.pages(), cleared, stored: [] });
    });
  };
  return { verifier, store, worker, fence, newFence, maps, map, field, source, freeFirst };
}

test('a map that no client was served is changed without a word to the worker', async () => {
  const { worker, fence, map, freeFirst, store } = await startFence();
  worker.stop();
  await fence.change([map], freeFirst);
  expect(await store.maps.get('volume')).toMatchObject({ epoch: 0n });
});

test('Law 4 a change is written between the hold that the worker confirms and what it publishes', async () => {
  const { worker, fence, map, field, source, freeFirst, store } = await startFence();
  await fence.serve(field);
  worker.sources.push(source);
  worker.before = async (call) => {
    const held = await store.maps.chunks({
      mapNumber: map,
      field: 'chunk',
      allocatorNumber: field.allocator,
    });
    worker.calls.push(`${String(held.length)} held at ${call.split(' ')[0] ?? ''}`);
    expect((await store.maps.get('volume')).epoch, 'on the disk before').toBe(2n);
  };
  await fence.change([map], freeFirst);
  expect(worker.calls).toEqual([
    'publish 1/chunk @1 [0,1,2,0]',
    '2 held at hold',
    'hold 1 @2',
    '1 held at publish',
    'publish 1/chunk @2 [0,0,2,0]',
  ]);
});

test.each([
  { what: 'does not answer', code: 'SERVICE_UNAVAILABLE' as const },
  { what: 'has a request that does not end', code: 'CHUNKS_BUSY' as const },
])('Law 4 nothing is changed when the worker $what, and all is as it was', async ({ code }) => {
  const { worker, fence, map, field, source, freeFirst } = await startFence();
  await fence.serve(field);
  worker.sources.push(source);
  worker.before = (call) => {
    if (call.startsWith('hold')) throw new HoldfastError(code, 'not now');
  };
  await expect(fence.change([map], freeFirst)).rejects.toMatchObject({ code });
  expect(worker.calls.at(-1)).toBe('publish 1/chunk @2 [0,1,2,0]');
});

test('changes of one map, and who begins to be served it, wait for each other', async () => {
  const { worker, fence, map, field, source, freeFirst } = await startFence();
  await fence.serve(field);
  worker.sources.push(source);
  await Promise.all([
    fence.change([map], freeFirst),
    fence.serve(field),
    fence.change([map, 99n], () => Promise.resolve()),
  ]);
  expect(worker.calls.slice(1)).toEqual([
    'hold 1 @2',
    'publish 1/chunk @2 [0,0,2,0]',
    'publish 1/chunk @2 [0,0,2,0]',
    'hold 1 @3',
    'publish 1/chunk @3 [0,0,2,0]',
  ]);
});

test('Law 2 what was not published is published by the next process, under an epoch of its own', async () => {
  const { worker, fence, newFence, map, field, source, freeFirst } = await startFence();
  await fence.serve(field);
  worker.sources.push(source);
  worker.before = (call) => {
    if (call.startsWith('publish')) throw new HoldfastError('SERVICE_UNAVAILABLE', 'not now');
  };
  await fence.change([map], freeFirst);
  await fence.stop();
  worker.before = () => undefined;
  const next = newFence();
  next.start();
  await expect.poll(() => worker.calls.slice(-2)).toEqual(['hold 1 @3', 'publish 1/chunk @3 [0,0,2,0]']);
  await next.stop();
});

test('Law 4 a map that is freed leaves its clients nothing, also when it was not told at once', async () => {
  const { worker, fence, newFence, maps, field, source } = await startFence();
  await fence.serve(field);
  worker.sources.push({ ...source, epoch: 2n });
  await maps.free('volume');
  expect(worker.calls.slice(-2)).toEqual(['hold 1 @2', 'publish 1/chunk @2 [0,0,0,0]']);
  await expect(fence.serve(field)).rejects.toMatchObject({ code: 'MAP_NOT_FOUND' });
  const next = newFence();
  next.start();
  await expect.poll(() => worker.calls.at(-1)).toBe('publish 1/chunk @3 [0,0,0,0]');
  await next.stop();
});

test('Law 4 what a program moves is reached anew by those who are served its maps, and not while it runs', async () => {
  const { verifier, worker, fence, field, source } = await startFence();
  await fence.serve(field);
  worker.sources.push(source);
  await verifier.load(filling('fill', 'pool', 'volume.chunk'));
  await verifier.run('fill', { entry: 3 });
  expect(worker.calls.slice(1)).toEqual(['hold 1 @2', 'publish 1/chunk @2 [0,1,2,3]']);
  worker.before = (call) => {
    if (call.startsWith('hold')) throw new HoldfastError('CHUNKS_BUSY', 'not now');
  };
  await expect(verifier.run('fill', { entry: 0 })).rejects.toMatchObject({ code: 'CHUNKS_BUSY' });
  expect(worker.calls.at(-1)).toBe('publish 1/chunk @3 [0,1,2,3]');
  expect(await verifier.findings()).toEqual([]);
});
