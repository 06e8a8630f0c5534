import { Errno } from './errno.js';
import { lastErrno, open } from './libc.js';

/** Flags of open(2) that node:fs does not name; the same on x86-64 and aarch64. */
export const O_CLOEXEC = 0x80000;
export const O_PATH = 0x200000;

/**
 * open(2) with O_CLOEXEC, by libc (see `OwnedFd` for why not by node:fs): a descriptor, or a negative errno.
 *
 * @param mode permission bits of a file that O_CREAT makes
 */
export function openFile(path: string, flags: number, mode = 0): number {
  // C would end the path at a NUL and open something else.
  if (path.includes('\0')) return -Errno.EINVAL;
  for (;;) {
    const fd = open(path, flags | O_CLOEXEC, 'uint', mode);
    if (fd >= 0) return fd;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}
