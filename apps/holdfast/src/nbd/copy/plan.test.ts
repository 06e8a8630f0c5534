import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CopyDestination, CopySource, SourceExtent } from './ends/copy-end.js';
import { nullDestination } from './ends/null-destination.js';
import { REQUEST_BYTES, WINDOW_BYTES, ZEROES_BYTES } from './limits.js';
import { gridFor, planPieces, type Piece } from './plan.js';

const KIB = 1024;

/** A source with the given extents, one after the other, which a question may cut anywhere. */
function sourceOf(lengths: readonly (readonly [length: number, isZero: boolean])[]): CopySource {
  const extents: SourceExtent[] = [];
  let sizeBytes = 0n;
  for (const [length, isZero] of lengths) {
    extents.push({ offset: sizeBytes, length: BigInt(length), isZero });
    sizeBytes += BigInt(length);
  }
  return {
    name: 'source',
    sizeBytes,
    blockBytes: 1,
    transferBytesMax: Number.MAX_SAFE_INTEGER,
    connections: 1,
    // eslint-disable-next-line @typescript-eslint/require-await -- the real ones ask a server
    extents: async function* (offset, length) {
      for (const extent of extents) {
        const from = extent.offset > offset ? extent.offset : offset;
        const end = extent.offset + extent.length;
        const to = end < offset + length ? end : offset + length;
        if (to > from) yield { offset: from, length: to - from, isZero: extent.isZero };
      }
    },
    read: () => Promise.resolve(),
    close: () => Promise.resolve(),
    abandon: () => undefined,
  };
}

function destinationOf(blockBytes: number, transferBytesMax: number): CopyDestination {
  return { ...nullDestination('destination'), blockBytes, transferBytesMax };
}

async function plan(source: CopySource, destination = nullDestination('destination'), from = 0n) {
  const pieces: Piece[] = [];
  for await (const piece of planPieces(source, gridFor(source, destination), from)) pieces.push(piece);
  return pieces;
}

describe('the pieces of a copy', () => {
  const extents = fc.array(fc.tuple(fc.integer({ min: 1, max: 3_000_000 }), fc.boolean()), { maxLength: 12 });
  const blocks = fc.constantFrom(1, 512, 4096, 65_536);

  it('cover the source without gaps, begin on the grid, and are zeroes only where the source is', async () => {
    await fc.assert(
      fc.asyncProperty(extents, blocks, async (lengths, blockBytes) => {
        const source = sourceOf(lengths);
        const pieces = await plan(source, destinationOf(blockBytes, 32 * KIB * KIB));
        let at = 0n;
        for (const { kind, offset, length } of pieces) {
          expect(offset).toBe(at);
          expect(offset % BigInt(Math.max(blockBytes, 4096))).toBe(0n);
          expect(length).toBeGreaterThan(0n);
          expect(length).toBeLessThanOrEqual(BigInt(kind === 'data' ? REQUEST_BYTES : ZEROES_BYTES));
          if (kind === 'zeroes') {
            for await (const extent of source.extents(offset, length)) expect(extent.isZero).toBe(true);
          }
          at += length;
        }
        expect(at).toBe(source.sizeBytes);
      }),
      { numRuns: 60 },
    );
  });

  it('leave out what lies before the offset from which a copy is resumed', async () => {
    const source = sourceOf([[1024 * KIB, false]]);
    const pieces = await plan(source, undefined, 512n * 1024n);
    expect(pieces[0]?.offset).toBe(512n * 1024n);
  });

  it('are zeroes up to an end that lies off the grid', async () => {
    const pieces = await plan(
      sourceOf([
        [4096, false],
        [4097, true],
      ]),
    );
    expect(pieces).toEqual([
      { kind: 'data', offset: 0n, length: 4096n },
      { kind: 'zeroes', offset: 4096n, length: 4097n },
    ]);
  });

  it('begin before all of a long source was asked about', async () => {
    const source = sourceOf([[4 * WINDOW_BYTES, true]]);
    let asked = 0;
    const counted = {
      ...source,
      extents: (offset: bigint, length: bigint) => {
        asked += 1;
        return source.extents(offset, length);
      },
    };
    const pieces = planPieces(counted, gridFor(counted, nullDestination('null:')), 0n);
    await pieces.next();
    expect(asked).toBe(1);
  });
});

describe('the grid of a copy', () => {
  it('keeps to the longest request of either end', () => {
    const source = { ...sourceOf([[65_536, false]]), transferBytesMax: 100_000 };
    expect(gridFor(source, destinationOf(4096, 32_768)).dataMax).toBe(32_768);
    expect(gridFor(source, destinationOf(4096, 1_000_000)).dataMax).toBe(98_304);
  });

  it('is finer than holes are where requests must be short', () => {
    expect(gridFor(sourceOf([[65_536, false]]), destinationOf(512, 1536)).dataMax).toBe(1536);
  });

  it('does not exist where blocks are longer than requests may be', () => {
    const source = { ...sourceOf([[65_536, false]]), transferBytesMax: 4096 };
    expect(() => gridFor(source, destinationOf(65_536, 65_536))).toThrow('blocks of 65536 bytes are needed');
  });

  it('does not exist for a source of which nobody can ask for the end', () => {
    const source = { ...sourceOf([[65_537, false]]), blockBytes: 4096 };
    expect(() => gridFor(source, nullDestination('null:'))).toThrow('the end of source cannot be read');
  });
});
