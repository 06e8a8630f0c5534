import { PIECE_ALIGNMENT_BYTES } from '../limits.js';

/**
 * How much of `remaining` bytes at `fileOffset` the next piece takes when `room` bytes are there for it: all if they
 * fit, else as many as end at a multiple of {@link PIECE_ALIGNMENT_BYTES} on the export, if there is one in reach.
 */
export function alignedPiece(fileOffset: number, remaining: number, room: number): number {
  if (remaining <= room) return remaining;
  const beyondAlignment = (fileOffset + room) % PIECE_ALIGNMENT_BYTES;
  return beyondAlignment < room ? room - beyondAlignment : room;
}
