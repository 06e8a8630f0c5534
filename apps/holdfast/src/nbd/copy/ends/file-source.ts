import { Errno, seekDataAsync, seekHoleAsync, SystemCallError } from '@holdfast/linux';
import type { CopySource, SourceExtent } from './copy-end.js';
import { readFully } from './file-calls.js';
import type { OpenFile } from './open-file.js';

/** A file or a block device to copy from. */
export function fileSource({ name, fd, identity }: OpenFile): CopySource {
  return {
    name,
    sizeBytes: BigInt(identity.sizeBytes),
    blockBytes: 1,
    transferBytesMax: Number.MAX_SAFE_INTEGER,
    connections: 1,
    extents: (offset, length) => extentsOf(fd.number, Number(offset), Number(offset + length)),
    read: (target, offset) => readFully(fd.number, target, Number(offset)),
    close: () => {
      fd.close();
      return Promise.resolve();
    },
    // A call under way would act on whoever gets the number of the descriptor next: it is left to the end of the process.
    abandon: () => undefined,
  };
}

/** Holes of a file, lseek(2). Block devices, and file systems that do not tell, have none. */
async function* extentsOf(fd: number, from: number, to: number): AsyncGenerator<SourceExtent, undefined> {
  for (let at = from; at < to;) {
    const data = Math.min(await dataAt(fd, at), to);
    if (data > at) yield extent(at, data, true);
    if (data === to) return;
    const hole = Math.min(await holeAt(fd, data), to);
    yield extent(data, hole, false);
    at = hole;
  }
}

function extent(from: number, to: number, isZero: boolean): SourceExtent {
  return { offset: BigInt(from), length: BigInt(to - from), isZero };
}

/** Where data begins, from `offset` on; infinity where there is none. */
async function dataAt(fd: number, offset: number): Promise<number> {
  const found = await seekDataAsync(fd, offset);
  if (found >= 0) return found;
  if (found === -Errno.ENXIO) return Number.POSITIVE_INFINITY;
  if (found === -Errno.EINVAL) return offset;
  throw new SystemCallError('lseek', -found, fd);
}

/** Where a hole begins, from `offset` on; a file ends with one. */
async function holeAt(fd: number, offset: number): Promise<number> {
  const found = await seekHoleAsync(fd, offset);
  // A file that gives no hole in front of `offset` would be walked over for ever.
  if (found > offset) return found;
  if (found >= 0 || found === -Errno.EINVAL || found === -Errno.ENXIO) return Number.POSITIVE_INFINITY;
  throw new SystemCallError('lseek', -found, fd);
}
