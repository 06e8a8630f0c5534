import { Errno, punchHoleAsync, SystemCallError, zeroRangeAsync } from '@holdfast/linux';
import type { CopyDestination } from './copy-end.js';
import { syncFile, writeFully } from './file-calls.js';
import type { OpenFile } from './open-file.js';
import { writeZeroBytes } from './write-zero-bytes.js';

/** A file or a block device to copy to. */
export function fileDestination({ name, fd }: OpenFile, readsAsZeroes: boolean): CopyDestination {
  const write: CopyDestination['write'] = (data, offset) => writeFully(fd.number, data, Number(offset));
  const asData = writeZeroBytes(write, { minimum: 1, payloadMaximum: Number.MAX_SAFE_INTEGER });
  return {
    name,
    blockBytes: 1,
    transferBytesMax: Number.MAX_SAFE_INTEGER,
    connections: 1,
    readsAsZeroes,
    write,
    writeZeroes: async (offset, length, connection) => {
      if (await zeroByKernel(fd.number, Number(offset), Number(length))) return;
      await asData(offset, length, connection);
    },
    flush: () => syncFile(fd.number),
    close: () => {
      fd.close();
      return Promise.resolve();
    },
    // A call under way would act on whoever gets the number of the descriptor next: it is left to the end of the process.
    abandon: () => undefined,
  };
}

/** What file systems and block devices answer that cannot do it, or not for this range. */
const unsupported: ReadonlySet<number> = new Set([-Errno.EOPNOTSUPP, -Errno.ENODEV, -Errno.EINVAL]);

/** Gives storage back, or else keeps it and zeroes it, fallocate(2). @returns whether the kernel did either */
async function zeroByKernel(fd: number, offset: number, length: number): Promise<boolean> {
  for (const call of [punchHoleAsync, zeroRangeAsync]) {
    const result = await call(fd, offset, length);
    if (result === 0) return true;
    if (!unsupported.has(result)) throw new SystemCallError('fallocate', -result, fd);
  }
  return false;
}
