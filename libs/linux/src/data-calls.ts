import {
  AllocateMode,
  fadvise,
  fallocate,
  fdatasync,
  lseek,
  POSIX_FADV_WILLNEED,
  pread,
  preadv2,
  pwrite,
  pwritev2,
  ReadWriteFlag,
  Seek,
} from './data-prototypes.js';
import { Errno } from './errno.js';
import { lastErrno, resultOrErrno } from './libc.js';
import { iovecFor } from './scratch.js';

/*
 * Calls on files and block devices for the hot path: plain numbers in, n ≥ 0 or a negative errno out, nothing
 * allocated, EINTR repeated inside. `address` is native memory that stays valid during the call, `length` and
 * `offset` are bytes; one call moves at most 0x7ffff000 bytes, so a short count is no error.
 */

/** pread(2); 0 at the end of the file. */
export function readAt(fd: number, address: number, length: number, offset: number): number {
  for (;;) {
    const count = pread(fd, address, length, offset);
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}

/**
 * preadv2(2) with RWF_NOWAIT: what the page cache holds from `offset` on, perhaps less than `length`; -EAGAIN when it
 * would have to wait for the device, -EOPNOTSUPP where the file system cannot tell (tmpfs, for one).
 */
export function readAtNoWait(fd: number, address: number, length: number, offset: number): number {
  for (;;) {
    const count = preadv2(fd, iovecFor(address, length), 1, offset, ReadWriteFlag.NOWAIT);
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}

/** pwrite(2). */
export function writeAt(fd: number, address: number, length: number, offset: number): number {
  for (;;) {
    const count = pwrite(fd, address, length, offset);
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}

/** pwritev2(2) with RWF_DSYNC: these bytes are on stable storage when it returns, as if opened with O_DSYNC. */
export function writeAtDurable(fd: number, address: number, length: number, offset: number): number {
  for (;;) {
    const count = pwritev2(fd, iovecFor(address, length), 1, offset, ReadWriteFlag.DSYNC);
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}

/** fdatasync(2): 0, or a negative errno. */
export function syncData(fd: number): number {
  for (;;) {
    if (fdatasync(fd) === 0) return 0;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}

function allocateRange(fd: number, mode: number, offset: number, length: number): number {
  for (;;) {
    if (fallocate(fd, mode, offset, length) === 0) return 0;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) return -errno;
  }
}

/**
 * fallocate(2) with FALLOC_FL_PUNCH_HOLE: the range gives its storage back and reads as zeros. 0, or a negative
 * errno: -EOPNOTSUPP where the file system or the device cannot.
 */
export function punchHole(fd: number, offset: number, length: number): number {
  return allocateRange(fd, AllocateMode.PUNCH_HOLE, offset, length);
}

/**
 * fallocate(2) with FALLOC_FL_ZERO_RANGE: the range reads as zeros and stays allocated. 0, or a negative errno:
 * -EOPNOTSUPP where the file system or the device cannot.
 */
export function zeroRange(fd: number, offset: number, length: number): number {
  return allocateRange(fd, AllocateMode.ZERO_RANGE, offset, length);
}

/** posix_fadvise(2) with POSIX_FADV_WILLNEED: starts reading the range into the page cache, and does not wait. */
export function adviseWillNeed(fd: number, offset: number, length: number): number {
  return -fadvise(fd, offset, length, POSIX_FADV_WILLNEED) || 0;
}

/**
 * lseek(2) with SEEK_DATA: where the data begins that lies at `offset` or is the next behind it. -ENXIO when there is
 * only a hole up to the end of the file, or `offset` lies beyond it. A file system that knows no holes says data.
 */
export function seekData(fd: number, offset: number): number {
  return resultOrErrno(lseek(fd, offset, Seek.DATA));
}

/**
 * lseek(2) with SEEK_HOLE: where the hole begins that lies at `offset` or is the next behind it; the end of a file counts
 * as one. -ENXIO when `offset` lies at the end or beyond.
 */
export function seekHole(fd: number, offset: number): number {
  return resultOrErrno(lseek(fd, offset, Seek.HOLE));
}
