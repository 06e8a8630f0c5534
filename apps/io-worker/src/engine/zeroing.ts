import { fstatSync } from 'node:fs';
import { Errno } from '@holdfast/linux';

/**
 * Whether fallocate(2) changed nothing because the device cannot do it: EOPNOTSUPP in general, and EINVAL of a block
 * device for a range that does not lie within whole sectors.
 *
 * @param result 0, or a negative errno
 */
export function isUnsupported(result: number): boolean {
  return result === -Errno.EOPNOTSUPP || result === -Errno.EINVAL;
}

/**
 * Whether the kernel itself writes the zeroes of FALLOC_FL_ZERO_RANGE where it cannot avoid it (blkdev_fallocate): never
 * fast for certain. File systems refuse instead.
 */
export function zeroesByWriting(fd: number): boolean {
  return fstatSync(fd).isBlockDevice();
}
