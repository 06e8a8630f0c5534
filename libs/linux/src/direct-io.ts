import { constants, fstatSync } from 'node:fs';
import { HoldfastError } from '@holdfast/foundation';
import { checked, Errno, SystemCallError } from './errno.js';
import { declare, declareVariadic, resultOrErrno } from './libc.js';
import { NativeBuffer } from './native-buffer.js';

const fcntl = declareVariadic('int fcntl(int fd, int cmd, ...)');
const ioctl = declareVariadic('int ioctl(int fd, unsigned long request, ...)');
const statx = declare<[folder: number, path: number, flags: number, mask: number, answer: number]>(
  'int statx(int dirfd, size_t pathname, int flags, unsigned int mask, size_t statxbuf)',
);
const memcpy = declare<[to: number, from: number, length: number]>(
  'size_t memcpy(size_t dest, size_t src, size_t n)',
);

const F_GETFL = 3;
const F_SETFL = 4;
/** Not the same on x86-64 and aarch64. */
const { O_DIRECT } = constants;

const BLKSSZGET = 0x1268;

const AT_EMPTY_PATH = 0x1000;
const STATX_DIOALIGN = 0x2000;
/** In struct statx (statx(2)): which fields were filled, and the two of STATX_DIOALIGN. */
const Statx = { mask: 0, memoryAlign: 152, offsetAlign: 156 } as const;
const STATX_BYTES = 256;

/** What direct I/O is aligned to where nothing tells: a page, to which every disk in use divides. */
const ALIGNMENT_BYTES = 4096;
/** Memory of ours begins on a page. */
const MEMORY_ALIGNMENT_MAX = 4096;
/** More than any block size of Linux; a write of one byte reads and writes as much. */
const OFFSET_ALIGNMENT_MAX = 64 * 1024;

/** The answer of statx(2), and behind it the empty path. */
const scratch = NativeBuffer.allocate(STATX_BYTES + 1);

/** What direct I/O on a file or block device must be aligned to, in bytes, powers of two. */
export interface DirectAlignment {
  /** Of addresses; at most a page. */
  readonly memoryBytes: number;
  /** Of offsets and lengths; at most 64 KiB. */
  readonly offsetBytes: number;
}

/**
 * Has an open file or block device read and written past the page cache from now on (O_DIRECT, open(2)). The flag belongs
 * to the open file: every duplicate, in every process, has it.
 *
 * @param path for people
 * @throws HoldfastError DIRECT_IO_UNSUPPORTED where there is none, or it could not be served
 */
export function setDirectIo(fd: number, path: string): void {
  const flags = checked('fcntl', resultOrErrno(fcntl(fd, F_GETFL, 'int', 0)), path);
  const errno = -resultOrErrno(fcntl(fd, F_SETFL, 'int', flags | O_DIRECT));
  if (errno === Errno.EINVAL) throw unsupported(path, 'its file system has none');
  if (errno > 0) throw new SystemCallError('fcntl', errno, path);
  const { memoryBytes, offsetBytes } = directAlignment(fd);
  if (memoryBytes === 0 || offsetBytes === 0)
    throw unsupported(path, 'its file system has none for this file');
  if (memoryBytes > MEMORY_ALIGNMENT_MAX || offsetBytes > OFFSET_ALIGNMENT_MAX) {
    throw unsupported(path, `it would have to be aligned to ${Math.max(memoryBytes, offsetBytes)} bytes`);
  }
}

function unsupported(path: string, why: string): HoldfastError {
  return new HoldfastError(
    'DIRECT_IO_UNSUPPORTED',
    `${JSON.stringify(path)} cannot be used with direct I/O: ${why}; register the device without --direct-io, or put ` +
      'the image on a file system that has it, as ext4, XFS and Btrfs do',
    { path },
  );
}

/** Whether an open file is read and written past the page cache. @throws SystemCallError */
export function usesDirectIo(fd: number): boolean {
  return (checked('fcntl', resultOrErrno(fcntl(fd, F_GETFL, 'int', 0)), fd) & O_DIRECT) !== 0;
}

/**
 * What the kernel wants: STATX_DIOALIGN (Linux 6.1, and not every file system), else the logical block size of a block
 * device (BLKSSZGET), else a page. Zeroes where it says that there is no direct I/O.
 *
 * @throws SystemCallError
 */
export function directAlignment(fd: number): DirectAlignment {
  const { view, address } = scratch;
  const told = statx(fd, address + STATX_BYTES, AT_EMPTY_PATH, STATX_DIOALIGN, address);
  if (told === 0 && (view.getUint32(Statx.mask, true) & STATX_DIOALIGN) !== 0) {
    return {
      memoryBytes: view.getUint32(Statx.memoryAlign, true),
      offsetBytes: view.getUint32(Statx.offsetAlign, true),
    };
  }
  const bytes = fstatSync(fd).isBlockDevice() ? logicalBlockBytes(fd) : ALIGNMENT_BYTES;
  return { memoryBytes: bytes, offsetBytes: bytes };
}

function logicalBlockBytes(fd: number): number {
  checked('ioctl BLKSSZGET', resultOrErrno(ioctl(fd, BLKSSZGET, 'size_t', scratch.address)), fd);
  return scratch.view.getUint32(0, true);
}

/** memcpy(3) between two native buffers that do not overlap. */
export function copyMemory(to: number, from: number, length: number): void {
  memcpy(to, from, length);
}
