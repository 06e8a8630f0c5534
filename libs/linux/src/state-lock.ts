import { constants, fstatSync, statSync } from 'node:fs';
import { checked, Errno, SystemCallError } from './errno.js';
import { declare, lastErrno } from './libc.js';
import { openFile } from './open-file.js';
import { OwnedFd } from './owned-fd.js';

const flock = declare<[fd: number, operation: number]>('int flock(int fd, int operation)');

const LOCK_EX = 2;
const LOCK_NB = 4;

/** flock(2) without waiting: false when another open file holds the lock. @throws SystemCallError for all else */
export function tryLock(fd: number): boolean {
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
  const errno = lastErrno();
  if (errno === Errno.EAGAIN) return false;
  throw new SystemCallError('flock', errno, fd);
}

function stillNames(path: string, fd: number): boolean {
  const held = fstatSync(fd, { bigint: true });
  const named = statSync(path, { bigint: true, throwIfNoEntry: false });
  return named?.dev === held.dev && named.ino === held.ino;
}

/**
 * Takes the lock file at `path`, made with mode 0600 when it is absent. The lock lasts until the descriptor and all
 * its duplicates are closed, so the kernel releases it with its holder, however that ends. The file stays.
 *
 * @returns undefined when somebody else holds it
 * @throws SystemCallError from open(2) or flock(2)
 */
export function lockFile(path: string): OwnedFd | undefined {
  for (;;) {
    const fd = openFile(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const file = new OwnedFd(checked('open', fd, path));
    let kept = false;
    try {
      if (!tryLock(file.number)) return undefined;
      // Removed or replaced since it was opened: what we hold is then a lock that nobody else will meet.
      kept = stillNames(path, file.number);
      if (kept) return file;
    } finally {
      if (!kept) file.close();
    }
  }
}
