import { fdatasync, read, write } from 'node:fs';
import { promisify } from 'node:util';
import { HoldfastError } from '@holdfast/foundation';

const readSome = promisify(read);
const writeSome = promisify(write);

/** fdatasync(2). */
export const syncFile = promisify(fdatasync);

/** Fills `target` from `offset` on. @throws HoldfastError if the file ends before: somebody has made it shorter */
export async function readFully(fd: number, target: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < target.length;) {
    const { bytesRead } = await readSome(fd, target, done, target.length - done, offset + done);
    if (bytesRead === 0) {
      throw new HoldfastError(
        'SYSTEM_CALL_FAILED',
        `the file ends at byte ${String(offset + done)}: it was made shorter while it was copied`,
      );
    }
    done += bytesRead;
  }
}

/** Writes all of `data` at `offset`. */
export async function writeFully(fd: number, data: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await writeSome(fd, data, done, data.length - done, offset + done);
    done += bytesWritten;
  }
}
