/** How fast chunks are allocated and freed, and how long an allocator takes to start from its records. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { ChunkAllocator } from '../../../apps/allocator-verifier/dist/chunk/chunk-allocator.js';
import { ChunkPools } from '../../../apps/allocator-verifier/dist/chunk/chunk-pools.js';
import { CHUNKS_MAX, PAGE_CHUNKS } from '../../../apps/allocator-verifier/dist/chunk/limits.js';
import { openStore } from '../../../libs/store/dist/index.js';

/** Chunks of one allocation, where runs are measured. */
const RUN = 64;

/** Pages that are written in one transaction, to fill the records. */
const PAGES_WRITTEN = 256;

/** @param {string} text */
function count(text) {
  const number = Number(text);
  if (Number.isInteger(number) && number >= RUN && number <= CHUNKS_MAX) return number;
  throw new InvalidArgumentError(`It is a whole number, ${RUN}–${CHUNKS_MAX}.`);
}

const { chunks } = new Command('tools/bench/chunks/run')
  .description('Times allocating and freeing chunks, and the start of an allocator, at three sizes')
  .option(
    '--chunks <count>',
    'chunks of the largest allocator; the others have a tenth and a hundredth',
    count,
    10_000_000,
  )
  .parse()
  .opts();

/**
 * @param {number} operations
 * @param {() => void} work
 * @returns {string} operations in a second
 */
function rate(operations, work) {
  const start = performance.now();
  work();
  return `${Math.round(operations / (performance.now() - start)).toLocaleString('en')} k/s`;
}

/**
 * The chunks of an allocator, in an order that has nothing to do with where they are.
 *
 * @param {number} capacity
 */
function shuffled(capacity) {
  const order = Uint32Array.from({ length: capacity }, (_, index) => index);
  let state = 1;
  for (let at = capacity - 1; at > 0; at -= 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (at + 1));
    const value = order[at] ?? 0;
    order[at] = order[other] ?? 0;
    order[other] = value;
  }
  return order;
}

/** @param {number} capacity */
async function inMemory(capacity) {
  // What is garbage by now must not go while it is measured.
  globalThis.gc?.();
  await turn();
  globalThis.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  const allocator = new ChunkAllocator(1n, capacity);
  const bytes = process.memoryUsage().arrayBuffers - before;
  const order = shuffled(capacity);
  const single = rate(capacity, () => {
    for (let at = 0; at < capacity; at += 1) allocator.allocate(1);
  });
  const free = rate(capacity, () => {
    for (const index of order) allocator.release(allocator.handleOf(index));
  });
  // Half of all chunks, here and there: what is left is in short runs.
  allocator.allocate(capacity);
  for (const index of order.subarray(0, capacity / 2)) allocator.release(allocator.handleOf(index));
  const scattered = rate(Math.floor(capacity / 4), () => {
    for (let at = 0; at < Math.floor(capacity / 4); at += 1) allocator.allocate(1);
  });
  const fresh = new ChunkAllocator(2n, capacity);
  const runs = rate(Math.floor(capacity / RUN) * RUN, () => {
    for (let at = 0; at < Math.floor(capacity / RUN); at += 1) fresh.allocate(RUN);
  });
  return {
    'one at a time': single,
    'free, anywhere': free,
    'half full': scattered,
    [`runs of ${RUN}`]: runs,
    MB: (bytes / 1e6).toFixed(1),
  };
}

/**
 * An allocator all of whose chunks are allocated, as a service finds it that starts.
 *
 * @param {number} capacity
 */
async function fromRecords(capacity) {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-chunks-'));
  const store = await openStore({ url: `file:${path.join(folder, 'records.db')}` });
  try {
    const pool = { offset: 0n, chunkBytes: 4096, capacity };
    const record = await store.allocators.create({ name: 'x', pool });
    const pages = Array.from({ length: Math.ceil(capacity / PAGE_CHUNKS) }, (_, page) => ({
      page,
      generations: new Uint32Array(Math.min(PAGE_CHUNKS, capacity - page * PAGE_CHUNKS)).fill(1),
    }));
    for (let at = 0; at < pages.length; at += PAGES_WRITTEN) {
      const some = pages.slice(at, at + PAGES_WRITTEN);
      await store.chunks.apply({ allocatorNumber: record.number, pages: some, cleared: [], stored: [] });
    }
    const start = performance.now();
    const pools = new ChunkPools(store.chunks);
    await pools.load(record);
    const startMs = performance.now() - start;
    if (pools.find(record.number)?.allocated !== capacity)
      throw new Error('the records are not what was written');
    return { 'start, ms': Math.round(startMs) };
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** @type {Record<string, Record<string, string | number>>} */
const rows = {};
for (const capacity of [Math.ceil(chunks / 100), Math.ceil(chunks / 10), chunks]) {
  rows[`${capacity.toLocaleString('en')} chunks`] = {
    ...(await inMemory(capacity)),
    ...(await fromRecords(capacity)),
  };
}
console.table(rows);
