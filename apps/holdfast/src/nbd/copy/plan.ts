import type { CopyDestination, CopySource } from './ends/copy-end.js';
import { refused } from './ends/refused.js';
import { HOLE_BYTES, REQUEST_BYTES, WINDOW_BYTES, ZEROES_BYTES } from './limits.js';

/** One step of a copy: bytes to be read and written, or zeroes to be made. */
export interface Piece {
  readonly kind: 'data' | 'zeroes';
  /** Bytes from the start. */
  readonly offset: bigint;
  /** Bytes; at least 1. */
  readonly length: bigint;
}

/** How long pieces are, and where they may begin. Bytes. */
export interface Grid {
  /** Pieces begin and end at multiples of it, but for the end of the source. */
  readonly grain: number;
  /** Longest piece of data; a multiple of the grain. */
  readonly dataMax: number;
}

/**
 * "The size of the export SHOULD be a multiple of its minimum block size": of one whose size is not, nobody can ask for the
 * end.
 *
 * @throws HoldfastError COPY_REFUSED
 */
function checkEnd({ name, sizeBytes, blockBytes }: CopySource): void {
  if (sizeBytes % BigInt(blockBytes) === 0n) return;
  throw refused(
    `the end of ${name} cannot be read: its ${sizeBytes} bytes are no multiple of ${blockBytes}, its minimum block size`,
  );
}

/** Finds what keeps to the block sizes of both ends. @throws HoldfastError COPY_REFUSED if nothing does */
export function gridFor(source: CopySource, destination: CopyDestination): Grid {
  checkEnd(source);
  const grain = Math.max(source.blockBytes, destination.blockBytes, HOLE_BYTES);
  const most = Math.min(source.transferBytesMax, destination.transferBytesMax);
  // Block sizes are powers of two: the larger is a multiple of the smaller.
  const fine = Math.max(source.blockBytes, destination.blockBytes);
  const step = most < grain ? fine : grain;
  const dataMax = Math.min(REQUEST_BYTES, most - (most % step));
  if (dataMax > 0) return { grain, dataMax };
  throw refused(
    `blocks of ${String(fine)} bytes are needed, and requests of ${String(most)} bytes are the longest allowed`,
  );
}

/** Walks over a source from an offset to its end: pieces without gaps, in ascending order. */
export async function* planPieces(
  source: CopySource,
  { grain, dataMax }: Grid,
  from: bigint,
): AsyncGenerator<Piece, undefined> {
  const { sizeBytes } = source;
  for (let start = from; start < sizeBytes; start += BigInt(WINDOW_BYTES)) {
    const length = minimum(BigInt(WINDOW_BYTES), sizeBytes - start);
    yield* planWindow(source, { start, end: start + length }, BigInt(grain), BigInt(dataMax));
  }
}

async function* planWindow(
  source: CopySource,
  { start, end }: { readonly start: bigint; readonly end: bigint },
  grain: bigint,
  dataMax: bigint,
): AsyncGenerator<Piece, undefined> {
  let at = start;
  for await (const { offset, length, isZero } of source.extents(start, end - start)) {
    if (!isZero) continue;
    // Only whole grains are made zero; what is left of them at both sides is copied with the data around it.
    const zeroFrom = roundUp(offset, grain);
    const zeroTo =
      offset + length === source.sizeBytes ? source.sizeBytes : roundDown(offset + length, grain);
    if (zeroTo <= zeroFrom) continue;
    yield* cut('data', at, zeroFrom, dataMax);
    yield* cut('zeroes', zeroFrom, zeroTo, BigInt(ZEROES_BYTES));
    at = zeroTo;
  }
  yield* cut('data', at, end, dataMax);
}

function* cut(kind: Piece['kind'], from: bigint, to: bigint, most: bigint): Generator<Piece, undefined> {
  for (let offset = from; offset < to; offset += most) {
    yield { kind, offset, length: minimum(most, to - offset) };
  }
}

/** The multiple of `grain` at or below `offset`. */
export function roundDown(offset: bigint, grain: bigint): bigint {
  return offset - (offset % grain);
}

function roundUp(offset: bigint, grain: bigint): bigint {
  return roundDown(offset + grain - 1n, grain);
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
