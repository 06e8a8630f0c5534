import { HoldfastError } from '@holdfast/foundation';
import { claimBlockDevice } from './device.js';
import { identifyDevice, sameDevice } from './device-identity.js';
import { Errno, SystemCallError } from './errno.js';
import { listHolders, lockHolders } from './lock-holders.js';
import type { OwnedFd } from './owned-fd.js';
import { RecordLock, recordLockBlocked, setRecordLock } from './record-lock.js';

/*
 * QEMU's scheme (block/file-posix.c): a read lock on byte 100 + n says "I do n", one on byte 200 + n says "I let
 * nobody else do n"; then each looks whether somebody has the opposite. So QEMU, qemu-nbd and qemu-img keep off an
 * image that we write to, and we off theirs.
 */
const DOES = 100;
const FORBIDS = 200;
const Act = { READ: 0, WRITE: 1, RESIZE: 3 } as const;

/**
 * Taking and then looking leaves a gap in which two may refuse each other. Among ourselves one lock decides: many
 * readers, or one writer.
 */
const OURS = 300;

/** No lock daemon (NFS), a file system without locks, a kernel without locks of this kind. */
const unsupported: readonly number[] = [Errno.ENOLCK, Errno.EOPNOTSUPP, Errno.EINVAL];

/** A device with the lock that goes with its open file, through every duplicate in every process. */
export interface LockedDevice {
  readonly fd: OwnedFd;
  /** False where the file system has no locks: nothing keeps others off then. */
  readonly locked: boolean;
}

/**
 * Makes sure that what we open for writing nobody else uses, and what we open for reading nobody writes; a block
 * device for writing is also claimed against the kernel's own users. It lasts until the last descriptor is closed.
 *
 * @param opened stays with the caller, who closes it
 * @throws HoldfastError DEVICE_LOCKED naming the processes in the way, as far as they may be looked into;
 * DEVICE_IDENTITY_MISMATCH when another disk took the place of a block device meanwhile
 */
export function lockDevice(
  opened: OwnedFd,
  path: string,
  { readOnly }: { readonly readOnly: boolean },
): LockedDevice {
  const isBlock = identifyDevice(opened.number).kind === 'block';
  const fd = isBlock && !readOnly ? claim(opened, path) : opened.duplicate();
  try {
    return { fd, locked: lock(fd.number, path, readOnly) };
  } catch (error) {
    fd.close();
    throw error;
  }
}

function claim(opened: OwnedFd, path: string): OwnedFd {
  const fd = claimBlockDevice(opened, path);
  if (fd === undefined) {
    throw inUse(
      opened.number,
      path,
      false,
      'is mounted, part of another device, or claimed by another program',
    );
  }
  // Law 3: the number of a block device may be given to another disk.
  if (sameDevice(identifyDevice(fd.number), identifyDevice(opened.number))) return fd;
  fd.close();
  throw new HoldfastError(
    'DEVICE_IDENTITY_MISMATCH',
    `another disk took the place of ${JSON.stringify(path)} while it was opened; try again`,
    { path },
  );
}

/** @returns whether there are locks here */
function lock(fd: number, path: string, readOnly: boolean): boolean {
  const does = readOnly ? [Act.READ] : [Act.READ, Act.WRITE];
  const forbids = [Act.WRITE, Act.RESIZE];
  const wanted: readonly (readonly [number, RecordLock])[] = [
    [OURS, readOnly ? RecordLock.READ : RecordLock.WRITE],
    ...does.map((act) => [DOES + act, RecordLock.READ] as const),
    ...forbids.map((act) => [FORBIDS + act, RecordLock.READ] as const),
  ];
  for (const [byte, type] of wanted) {
    const errno = -setRecordLock(fd, type, byte, 1);
    if (errno === 0) continue;
    if (unsupported.includes(errno)) return false;
    if (errno !== Errno.EAGAIN) throw new SystemCallError('fcntl F_OFD_SETLK', errno, path);
    throw inUse(fd, path, readOnly);
  }
  const opposites = [...does.map((act) => FORBIDS + act), ...forbids.map((act) => DOES + act)];
  if (opposites.some((byte) => recordLockBlocked(fd, RecordLock.WRITE, byte, 1))) {
    throw inUse(fd, path, readOnly);
  }
  return true;
}

/** @param otherwise what keeps the device when no process has a lock on it */
function inUse(
  fd: number,
  path: string,
  readOnly: boolean,
  otherwise = 'is in use by another process',
): HoldfastError {
  // Lest we count among those in the way.
  setRecordLock(fd, RecordLock.NONE, 0, 0);
  const holders = lockHolders(fd);
  const written =
    recordLockBlocked(fd, RecordLock.READ, OURS, 1) ||
    recordLockBlocked(fd, RecordLock.WRITE, DOES + Act.WRITE, Act.RESIZE - Act.WRITE + 1);
  const use = written
    ? 'is open for writing in another process'
    : holders.length > 0
      ? 'is in use by another process'
      : otherwise;
  const advice = written || readOnly ? 'stop it first' : 'stop it first, or attach the device read-only';
  return new HoldfastError(
    'DEVICE_LOCKED',
    `${JSON.stringify(path)} ${use}${listHolders(holders)}; ${advice}`,
    { path, ...(holders.length > 0 && { pids: holders.map(({ pid }) => pid).join(',') }) },
  );
}
