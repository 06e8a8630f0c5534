import { Command, CommandFlag } from '@holdfast/nbd-protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventLoopEngine } from '../engine/event-loop-engine.js';
import { DISK_BYTES, EngineScene, type SessionOptions } from '../testing/engine-scene.js';
import { ChunkTable } from './chunk-table.js';

const { READ, WRITE, TRIM, WRITE_ZEROES, FLUSH, CACHE, BLOCK_STATUS } = Command;
const [CHUNK, START, ENTRIES, CAPACITY] = [4096, 65_536, 12, 32];
const SIZE = ENTRIES * CHUNK;
const ENOSPC = 28;

/** A session of chunks of the disk, which begin as `chunks` says. */
function serve(chunks: readonly number[], options: SessionOptions = {}) {
  const scene = new EngineScene(new EventLoopEngine());
  const source = {
    ...{ map: 1n, field: 'chunk', allocator: 1n, entries: ENTRIES },
    ...{ offset: START, chunkBytes: CHUNK, capacity: CAPACITY },
  };
  const table = new ChunkTable(source);
  table.publish(1n, chunks);
  const fencing = new AbortController();
  const view = { table, deviceBytes: DISK_BYTES, fenced: fencing.signal };
  return { ...scene.serve({ sizeBytes: SIZE, chunks: view, ...options }), scene, table, fencing };
}

type Act =
  | { readonly kind: 'read' | 'trim' | 'cache'; readonly at: number; readonly length: number }
  | {
      readonly kind: 'write' | 'zero';
      readonly at: number;
      readonly length: number;
      readonly flags: number;
      readonly fill: number;
    }
  | { readonly kind: 'swap'; readonly chunks: readonly number[] };

const range = fc.tuple(fc.nat(SIZE - 1), fc.integer({ min: 1, max: 3 * CHUNK })).map(([at, wanted]) => ({
  at,
  length: Math.min(wanted, SIZE - at),
}));
const chunkLists = fc
  .uniqueArray(fc.integer({ min: 1, max: CAPACITY }), { minLength: ENTRIES, maxLength: ENTRIES })
  .chain((chunks) =>
    fc
      .array(fc.boolean(), { minLength: ENTRIES, maxLength: ENTRIES })
      .map((some) => chunks.map((chunk, entry) => (some[entry] === true ? chunk : 0))),
  );
const acts: fc.Arbitrary<Act> = fc.oneof(
  range.map((where) => ({ kind: 'read' as const, ...where })),
  range.map((where) => ({ kind: 'trim' as const, ...where })),
  range.map((where) => ({ kind: 'cache' as const, ...where })),
  fc
    .tuple(range, fc.constantFrom(0, CommandFlag.FUA), fc.integer({ min: 1, max: 255 }))
    .map(([where, flags, fill]) => ({ kind: 'write' as const, ...where, flags, fill })),
  fc
    .tuple(range, fc.constantFrom(0, CommandFlag.NO_HOLE, CommandFlag.FUA))
    .map(([where, flags]) => ({ kind: 'zero' as const, ...where, flags, fill: 0 })),
  chunkLists.map((chunks) => ({ kind: 'swap' as const, chunks })),
);

test('answers as a list of chunks does that is kept apart, and touches no byte of others', async () => {
  await fc.assert(
    fc.asyncProperty(chunkLists, fc.array(acts, { minLength: 1, maxLength: 30 }), async (first, history) => {
      const { client, scene, table } = serve(first);
      const disk = Buffer.from(scene.original());
      let chunks: readonly number[] = first;
      let epoch = 1n;
      const placeOf = (byte: number) => {
        const chunk = chunks[Math.floor(byte / CHUNK)] ?? 0;
        return chunk === 0 ? undefined : START + (chunk - 1) * CHUNK + (byte % CHUNK);
      };
      for (const act of history) {
        if (act.kind === 'swap') {
          epoch += 1n;
          await table.hold(epoch);
          table.publish(epoch, act.chunks);
          chunks = act.chunks;
          continue;
        }
        const { at, length } = act;
        const places = Array.from({ length }, (_, byte) => placeOf(at + byte));
        const isWhole = !places.includes(undefined);
        switch (act.kind) {
          case 'read': {
            const { error, data } = await client.ask({ type: READ, offset: at, length });
            expect(error).toBe(0);
            const expected = places.map((place) => (place === undefined ? 0 : (disk[place] ?? 0)));
            expect(data.equals(Buffer.from(expected))).toBe(true);
            break;
          }
          case 'cache':
            expect((await client.ask({ type: CACHE, offset: at, length })).error).toBe(0);
            break;
          case 'trim':
            expect((await client.ask({ type: TRIM, offset: at, length })).error).toBe(0);
            // A file's holes read as zeroes: what was trimmed is known here.
            for (const place of places) if (place !== undefined) disk[place] = 0;
            break;
          case 'write':
          case 'zero': {
            const { flags, fill } = act;
            const isWrite = act.kind === 'write';
            const { error } = await client.ask(
              isWrite
                ? { type: WRITE, offset: at, payload: Buffer.alloc(length, fill), flags }
                : { type: WRITE_ZEROES, offset: at, length, flags },
            );
            const needsAll = isWrite || (flags & CommandFlag.NO_HOLE) !== 0;
            expect(error).toBe(needsAll && !isWhole ? ENOSPC : 0);
            if (error === 0) for (const place of places) if (place !== undefined) disk[place] = fill;
            break;
          }
        }
      }
      expect((await client.ask({ type: FLUSH })).error).toBe(0);
      expect(scene.content().equals(disk)).toBe(true);
      client.hangUp();
    }),
    { numRuns: 40 },
  );
});

test('T11 block status joins what neighbours say alike, and tells nulls as holes', async () => {
  const chunks = [1, 2, 0, 0, 9, 10, 11, 0, 5, 0, 0, 0];
  const { chunks: client } = serve(chunks, { replyMode: 'structured', contexts: true });
  const { status } = await client.ask({ type: BLOCK_STATUS, offset: 0, length: SIZE });
  const inChunks = (id: number) => status.get(id)?.map(([length, flags]) => [length / CHUNK, flags]);
  const expected = (hole: number, data: number) => [
    [2, data],
    [2, hole],
    [3, data],
    [1, hole],
    [1, data],
    [3, hole],
  ];
  expect(inChunks(1)).toEqual(expected(3, 0));
  expect(inChunks(2)).toEqual(expected(0, 1));
});

test('Law 4 a request that comes while the list is held is carried out under the next one', async () => {
  const { client, scene, table } = serve([1, 2, ...Array<number>(10).fill(0)]);
  await table.hold(2n);
  client.send({ type: WRITE, offset: 0, payload: Buffer.alloc(2 * CHUNK, 0xaa) });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(scene.content().equals(scene.original())).toBe(true);
  table.publish(2n, [3, 4, ...Array<number>(10).fill(0)]);
  expect((await client.reply()).error).toBe(0);
  expect(scene.content(START, 2 * CHUNK).equals(scene.original(START, 2 * CHUNK))).toBe(true);
  expect(scene.content(START + 2 * CHUNK, 2 * CHUNK)).toEqual(Buffer.alloc(2 * CHUNK, 0xaa));
});

test('T17 a session that waits for its list can be fenced', async () => {
  const { client, control, ended, table, fencing } = serve(Array<number>(ENTRIES).fill(1));
  await table.hold(2n);
  client.send({ type: READ, offset: 0, length: 512 }, { type: WRITE, offset: 0, payload: Buffer.alloc(8) });
  await new Promise((resolve) => setTimeout(resolve, 20));
  control.fence();
  fencing.abort();
  expect(await ended).toBe('fenced');
});
