import { declare } from './libc.js';

/* The calls on files and block devices as C declares them, for their blocking and their `.async` form. */

type Transfer = [fd: number, address: number, length: number, offset: number];
type VectorTransfer = [fd: number, iovec: number, count: number, offset: number, flags: number];

export const pread = declare<Transfer>('int pread(int fd, size_t buf, size_t count, int64_t offset)');
export const pwrite = declare<Transfer>('int pwrite(int fd, size_t buf, size_t count, int64_t offset)');
export const preadv2 = declare<VectorTransfer>(
  'int preadv2(int fd, size_t iov, int iovcnt, int64_t offset, int flags)',
);
export const pwritev2 = declare<VectorTransfer>(
  'int pwritev2(int fd, size_t iov, int iovcnt, int64_t offset, int flags)',
);
export const fdatasync = declare<[fd: number]>('int fdatasync(int fd)');
export const fallocate = declare<[fd: number, mode: number, offset: number, length: number]>(
  'int fallocate(int fd, int mode, int64_t offset, int64_t len)',
);
/** Moves the position of the open file, which none of the calls here goes by. */
export const lseek = declare<[fd: number, offset: number, whence: number]>(
  'int64_t lseek(int fd, int64_t offset, int whence)',
);
/** Returns a positive error number itself and leaves errno alone. */
export const fadvise = declare<[fd: number, offset: number, length: number, advice: number]>(
  'int posix_fadvise(int fd, int64_t offset, int64_t len, int advice)',
);

/** <linux/fs.h>: flags of one preadv2(2) or pwritev2(2). */
export const ReadWriteFlag = { DSYNC: 0x2, NOWAIT: 0x8 } as const;

const FALLOC_FL_KEEP_SIZE = 0x1;
const FALLOC_FL_PUNCH_HOLE = 0x2;
const FALLOC_FL_ZERO_RANGE = 0x10;

/** Modes of fallocate(2) that never change a file's size. */
export const AllocateMode = {
  PUNCH_HOLE: FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  ZERO_RANGE: FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
} as const;

export const POSIX_FADV_WILLNEED = 3;

/** <unistd.h>: what lseek(2) is to find. */
export const Seek = { END: 2, DATA: 3, HOLE: 4 } as const;
