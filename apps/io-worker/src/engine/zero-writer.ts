import { NativeBuffer } from '@holdfast/linux';

/** One write of zeroes at most; 1 MiB keeps the number of calls small and the memory shared by a whole thread. */
const ZEROES_BYTES = 1024 * 1024;

let zeroes: NativeBuffer | undefined;

/** Zeroes for WRITE_ZEROES where the file system cannot zero a range itself; made at first use, one a thread. */
export function zeroBuffer(): NativeBuffer {
  zeroes ??= NativeBuffer.allocate(ZEROES_BYTES);
  return zeroes;
}

/**
 * Writes zeroes the long way.
 *
 * @param write 0 or errno for one piece
 */
export function writeZeroes(
  offset: number,
  length: number,
  write: (address: number, length: number, offset: number) => number,
): number {
  const source = zeroBuffer();
  for (let done = 0; done < length; done += source.length) {
    const piece = Math.min(source.length, length - done);
    const errno = write(source.address, piece, offset + done);
    if (errno !== 0) return errno;
  }
  return 0;
}
