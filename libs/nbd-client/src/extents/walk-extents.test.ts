import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connectToMemory } from '../testing/connected.js';
import { ExtentList, type Extent } from './extent-list.js';
import { walkExtents } from './walk-extents.js';

async function gather(extents: AsyncIterable<Extent>): Promise<Extent[]> {
  const all: Extent[] = [];
  for await (const extent of extents) all.push(extent);
  return all;
}

/** A range of statuses, one for each block. */
function model(statuses: readonly number[], from: number, to: number): Extent[] {
  const extents: Extent[] = [];
  for (let at = from; at < to; at += 1) {
    const flags = BigInt(statuses[at] ?? 0);
    const last = extents.at(-1);
    if (last?.flags === flags) extents[extents.length - 1] = { ...last, length: last.length + 1n };
    else extents.push({ offset: BigInt(at), length: 1n, flags });
  }
  return extents;
}

test('A6 a walk covers its range exactly, merged, however little or much each answer says', async () => {
  const statuses = fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 60 });
  const run = fc.tuple(
    statuses,
    fc.nat({ max: 59 }),
    fc.nat({ max: 60 }),
    fc.array(fc.nat({ max: 8 }), { minLength: 1, maxLength: 5 }),
  );
  await fc.assert(
    fc.asyncProperty(run, async ([values, a, b, sizes]) => {
      const from = Math.min(a, b, values.length);
      const to = Math.min(Math.max(a, b), values.length);
      let turn = 0;
      const query = (offset: bigint, length: bigint): Promise<ExtentList> => {
        expect(offset + length).toBeLessThanOrEqual(BigInt(to));
        turn += 1;
        if (turn > 200) throw new Error('the walk goes round in circles');
        // From one byte of the answer to more than was asked for.
        const size = 1 + (sizes[turn % sizes.length] ?? 0);
        const end = Math.min(values.length, Number(offset) + size);
        const answer = model(values, Number(offset), end);
        // Neighbours of equal flags are legal, so some answers are split again.
        const pieces =
          turn % 2 === 0
            ? answer
            : answer.flatMap((one) =>
                Array.from({ length: Number(one.length) }, () => ({ ...one, length: 1n })),
              );
        return Promise.resolve(
          new ExtentList(offset, BigUint64Array.from(pieces.flatMap((one) => [one.length, one.flags]))),
        );
      };
      const source = { query, isExtended: turn % 2 === 0, blockSizeMinimum: 1 };
      expect(await gather(walkExtents(source, BigInt(from), BigInt(to)))).toEqual(model(values, from, to));
    }),
    { numRuns: 500 },
  );
});

test('A6 alternating extents of one byte are walked to the end, in answers of bounded length', async () => {
  const image = Buffer.alloc(5000);
  const connection = await connectToMemory(
    {
      mode: 'structured',
      image,
      sizeBytes: image.length,
      contexts: { 'base:allocation': 1 },
      extentsOf: (_context, offset, length) =>
        Array.from({ length: Math.min(999, Number(length)) }, (_, index) => [
          1n,
          (offset + BigInt(index)) & 1n,
        ]),
    },
    { metaContexts: ['base:allocation'] },
  );
  const all = await gather(connection.extents('base:allocation'));
  expect(all).toHaveLength(5000);
  expect(
    all.every(
      ({ offset, length, flags }, index) =>
        offset === BigInt(index) && length === 1n && flags === (offset & 1n),
    ),
  ).toBe(true);
});

test.each([
  ['structured', [0xfc00_0000n, (1n << 40n) - 0xfc00_0000n]],
  ['extended', [1n << 40n]],
] as const)(
  'B3 %s: a tebibyte is asked about in as many questions as 32 bits need',
  async (mode, firstLengths) => {
    const asked: bigint[] = [];
    const connection = await connectToMemory(
      {
        mode,
        image: Buffer.alloc(0),
        sizeBytes: 1n << 40n,
        contexts: { 'base:allocation': 1 },
        extentsOf: (_context, _offset, length) => {
          asked.push(length);
          return [[length, 3n]];
        },
      },
      { metaContexts: ['base:allocation'] },
    );
    expect(await gather(connection.extents('base:allocation'))).toEqual([
      { offset: 0n, length: 1n << 40n, flags: 3n },
    ]);
    expect(asked[0]).toBe(firstLengths[0]);
    expect(asked).toHaveLength(mode === 'extended' ? 1 : Math.ceil(2 ** 40 / 0xfc00_0000));
  },
);

test('T5 the end of an export that is no multiple of its block size has no known status', async () => {
  const connection = await connectToMemory(
    {
      mode: 'structured',
      image: Buffer.alloc(0),
      sizeBytes: 10_000,
      blockSize: [4096, 4096, 1 << 20],
      contexts: { 'base:allocation': 1 },
      extentsOf: (_context, _offset, length) => [[length, 3n]],
    },
    { metaContexts: ['base:allocation'] },
  );
  expect(await gather(connection.extents('base:allocation'))).toEqual([
    { offset: 0n, length: 8192n, flags: 3n },
    { offset: 8192n, length: 1808n, flags: 0n },
  ]);
});

test('a walk asks about its own context only, where the server offers to leave out the others', async () => {
  const payloads: number[] = [];
  const connection = await connectToMemory(
    {
      mode: 'extended',
      image: Buffer.alloc(0),
      sizeBytes: 4096,
      contexts: { 'base:allocation': 1, 'x-test:other': 2 },
      extentsOf: (context, _offset, length) => [[length, context === 'x-test:other' ? 9n : 0n]],
      onRequest: ({ payload }) => {
        if (payload.length > 0) payloads.push(payload.readUInt32BE(8));
      },
    },
    { metaContexts: ['base:allocation', 'x-test:other'] },
  );
  expect(await gather(connection.extents('x-test:other', 1024, 512))).toEqual([
    { offset: 1024n, length: 512n, flags: 9n },
  ]);
  expect(payloads).toEqual([2]);
  await expect(gather(connection.extents('x-test:none'))).rejects.toMatchObject({ fault: 'unknown-context' });
});
