import { constants, fstatSync } from 'node:fs';
import { HoldfastError } from '@holdfast/foundation';
import { Errno, SystemCallError } from './errno.js';
import { O_PATH, openFile } from './open-file.js';
import { OwnedFd } from './owned-fd.js';
import { setBlocking } from './sockets.js';

function openFailed(path: string, errno: number): HoldfastError {
  const cause = new SystemCallError('open', errno, path);
  return new HoldfastError(
    'DEVICE_OPEN_FAILED',
    `the device could not be opened: ${cause.message}`,
    { path, ...cause.metadata },
    cause,
  );
}

function refuseUnsuitable(path: string, fd: number): void {
  const stat = fstatSync(fd);
  if (stat.isFile() || stat.isBlockDevice()) return;
  throw new HoldfastError(
    'DEVICE_UNSUITABLE',
    `${JSON.stringify(path)} is neither a regular file nor a block device`,
    { path },
  );
}

/** Opens the very inode of a descriptor once more: a blocking descriptor, close-on-exec, or a negative errno. */
function reopen(inode: OwnedFd, flags: number): OwnedFd | number {
  const found = openFile(`/proc/self/fd/${inode.number}`, flags | constants.O_NOCTTY | constants.O_NONBLOCK);
  if (found < 0) return found;
  const device = new OwnedFd(found);
  setBlocking(device.number, true);
  return device;
}

/**
 * Opens a regular file or a block device; symbolic links are followed. What it is gets checked on an O_PATH
 * descriptor first, and that very inode is then opened: merely opening anything else can hang (a FIFO) or act (a
 * watchdog), and nothing can be put in its place between check and use.
 *
 * @returns a blocking descriptor, close-on-exec
 * @throws HoldfastError DEVICE_UNSUITABLE when it is neither; DEVICE_OPEN_FAILED with the error of open(2)
 */
export function openDevice(path: string, options: { readonly readOnly: boolean }): OwnedFd {
  const found = openFile(path, O_PATH);
  if (found < 0) throw openFailed(path, -found);
  using inode = new OwnedFd(found);
  refuseUnsuitable(path, inode.number);
  const device = reopen(inode, options.readOnly ? constants.O_RDONLY : constants.O_RDWR);
  if (typeof device === 'number') throw openFailed(path, -device);
  return device;
}

/**
 * Opens a block device once more, for reading and writing, and claims it (O_EXCL, open(2)): while that is open, the
 * kernel neither mounts it nor makes it a part of another device, nor grants it to anybody else who claims it.
 *
 * @param opened the device, opened before; it stays open
 * @returns undefined when it is mounted, part of another device, or claimed by somebody else
 * @throws HoldfastError DEVICE_OPEN_FAILED with the error of open(2)
 */
export function claimBlockDevice(opened: OwnedFd, path: string): OwnedFd | undefined {
  const device = reopen(opened, constants.O_RDWR | constants.O_EXCL);
  if (typeof device !== 'number') return device;
  if (device === -Errno.EBUSY) return undefined;
  throw openFailed(path, -device);
}
