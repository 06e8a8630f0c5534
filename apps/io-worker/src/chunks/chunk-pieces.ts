import type { ChunkSource } from './chunk-source.js';

/** For each entry of the map 0 when it is null, else the number of its chunk plus 1. */
export type ChunkList = Uint32Array;

/** A part of a range. */
export interface ChunkPiece {
  /** Where it is on the device; undefined: nowhere, its entry is null. */
  readonly at: number | undefined;
  readonly length: number;
}

/**
 * Where a range of the export is, in order: each piece is as long as the device, or what is null, goes on without a gap.
 *
 * @param source of which the range is a part
 */
export function* chunkPieces(
  { offset: start, chunkBytes }: Pick<ChunkSource, 'offset' | 'chunkBytes'>,
  list: ChunkList,
  offset: number,
  length: number,
): Generator<ChunkPiece> {
  let piece: ChunkPiece | undefined;
  for (let done = 0; done < length;) {
    const within = (offset + done) % chunkBytes;
    const part = Math.min(chunkBytes - within, length - done);
    const chunk = list[(offset + done - within) / chunkBytes] ?? 0;
    const at = chunk === 0 ? undefined : start + (chunk - 1) * chunkBytes + within;
    if (piece !== undefined && at === endOf(piece)) {
      piece = { at: piece.at, length: piece.length + part };
    } else {
      if (piece !== undefined) yield piece;
      piece = { at, length: part };
    }
    done += part;
  }
  if (piece !== undefined) yield piece;
}

/** Whether any part of a range is null. */
export function hasNull(chunkBytes: number, list: ChunkList, offset: number, length: number): boolean {
  const first = Math.floor(offset / chunkBytes);
  const last = Math.floor((offset + length - 1) / chunkBytes);
  for (let entry = first; entry <= last; entry += 1) if ((list[entry] ?? 0) === 0) return true;
  return false;
}

function endOf({ at, length }: ChunkPiece): number | undefined {
  return at === undefined ? undefined : at + length;
}
