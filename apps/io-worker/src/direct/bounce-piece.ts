import type { DirectAlignment } from '@holdfast/linux';

/** A part of a transfer that goes by way of an aligned buffer. All in bytes. */
export interface BouncePiece {
  /** Where on the device the blocks begin that it touches, and how long they are. */
  readonly offset: number;
  readonly length: number;
  /** Where in these blocks its own bytes begin, and how many they are. */
  readonly skip: number;
  readonly count: number;
}

/**
 * What can be done of a transfer with one buffer.
 *
 * @param bufferBytes a multiple of the alignment
 */
export function nextPiece(
  { offsetBytes }: DirectAlignment,
  offset: number,
  length: number,
  bufferBytes: number,
): BouncePiece {
  const skip = offset % offsetBytes;
  const count = Math.min(length, bufferBytes - skip);
  const blocks = Math.ceil((skip + count) / offsetBytes);
  return { offset: offset - skip, length: blocks * offsetBytes, skip, count };
}

/** Whether the transfer covers only a part of its first block. */
export function hasHead({ skip }: BouncePiece): boolean {
  return skip > 0;
}

/** Whether the transfer covers only a part of its last block. */
export function hasTail({ skip, count, length }: BouncePiece): boolean {
  return skip + count < length;
}

/** Whether a transfer can be done where it is. */
export function isAligned(
  { memoryBytes, offsetBytes }: DirectAlignment,
  address: number,
  length: number,
  offset: number,
): boolean {
  return address % memoryBytes === 0 && length % offsetBytes === 0 && offset % offsetBytes === 0;
}
