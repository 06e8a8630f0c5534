import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunkPieces, hasNull } from './chunk-pieces.js';

const [CHUNK, START] = [16, 1000];
const region = { offset: START, chunkBytes: CHUNK };

/** Where each byte of the export is, one by one. */
function placeOf(list: Uint32Array, byte: number): number | undefined {
  const chunk = list[Math.floor(byte / CHUNK)] ?? 0;
  return chunk === 0 ? undefined : START + (chunk - 1) * CHUNK + (byte % CHUNK);
}

const ranges = fc
  .record({ chunks: fc.array(fc.nat(6), { minLength: 1, maxLength: 12 }), a: fc.nat(), b: fc.nat() })
  .map(({ chunks, a, b }) => {
    const size = chunks.length * CHUNK;
    const offset = a % size;
    return { list: Uint32Array.from(chunks), offset, length: 1 + (b % (size - offset)) };
  });

test('the pieces of a range are where each of its bytes is, and no two of them are one', () => {
  fc.assert(
    fc.property(ranges, ({ list, offset, length }) => {
      const pieces = [...chunkPieces(region, list, offset, length)];
      const told = pieces.flatMap(({ at, length: part }) =>
        Array.from({ length: part }, (_, byte) => (at === undefined ? undefined : at + byte)),
      );
      expect(told).toEqual(Array.from({ length }, (_, byte) => placeOf(list, offset + byte)));
      for (const [index, { at, length: part }] of pieces.entries()) {
        const next = pieces[index + 1];
        if (next !== undefined) expect(next.at).not.toBe(at === undefined ? undefined : at + part);
      }
      expect(hasNull(CHUNK, list, offset, length)).toBe(told.includes(undefined));
    }),
    { numRuns: 2000 },
  );
});
