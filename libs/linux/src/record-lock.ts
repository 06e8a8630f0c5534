import { checked, Errno } from './errno.js';
import { declareVariadic, resultOrErrno } from './libc.js';
import { NativeBuffer } from './native-buffer.js';

/*
 * Locks on ranges of bytes that belong to an open file, not to a process (fcntl(2), "Open file description locks"):
 * they go with it to whoever receives it by SCM_RIGHTS, and end with its last descriptor, wherever that is.
 */

const fcntl = declareVariadic('int fcntl(int fd, int cmd, ...)');

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;

/** `l_type`: any number of readers, or one writer. */
export const RecordLock = { READ: 0, WRITE: 1, NONE: 2 } as const;
export type RecordLock = (typeof RecordLock)[keyof typeof RecordLock];

/** `struct flock` of 64-bit Linux; `l_whence` stays SEEK_SET, `l_pid` must stay 0. */
const record = NativeBuffer.allocate(32);
const At = { TYPE: 0, START: 8, LENGTH: 16, PID: 24 } as const;

function fill(type: RecordLock, start: number, length: number): number {
  record.view.setInt16(At.TYPE, type, true);
  record.view.setBigInt64(At.START, BigInt(start), true);
  record.view.setBigInt64(At.LENGTH, BigInt(length), true);
  record.view.setInt32(At.PID, 0, true);
  return record.address;
}

/**
 * Takes, changes or gives up the lock on a range, without waiting.
 *
 * @param length bytes; 0 means up to the end of the file, however it grows
 * @returns 0, or a negative errno: -EAGAIN when another open file has a lock in the way, -ENOLCK, -EOPNOTSUPP or
 * -EINVAL where there are no such locks
 */
export function setRecordLock(fd: number, type: RecordLock, start: number, length: number): number {
  for (;;) {
    const result = resultOrErrno(fcntl(fd, F_OFD_SETLK, 'size_t', fill(type, start, length)));
    if (result !== -Errno.EINTR) return result === -Errno.EACCES ? -Errno.EAGAIN : result;
  }
}

/** Whether another open file has a lock in the way of such a one. @throws SystemCallError */
export function recordLockBlocked(fd: number, type: RecordLock, start: number, length: number): boolean {
  checked(
    'fcntl F_OFD_GETLK',
    resultOrErrno(fcntl(fd, F_OFD_GETLK, 'size_t', fill(type, start, length))),
    fd,
  );
  return record.view.getInt16(At.TYPE, true) !== RecordLock.NONE;
}
