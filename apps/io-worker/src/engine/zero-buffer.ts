import { NativeBuffer } from '@holdfast/linux';

/** One write of zeroes at most; 1 MiB keeps the number of calls small and the memory shared by a whole thread. */
const ZEROES_BYTES = 1024 * 1024;

let zeroes: NativeBuffer | undefined;

/** Zeroes for WRITE_ZEROES where the file system cannot zero a range itself; made at first use, one a thread. */
export function zeroBuffer(): NativeBuffer {
  zeroes ??= NativeBuffer.allocate(ZEROES_BYTES);
  return zeroes;
}
