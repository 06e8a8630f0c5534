import { assert } from '@holdfast/foundation';
import {
  AllocateMode,
  fadvise,
  fallocate,
  fdatasync,
  lseek,
  POSIX_FADV_WILLNEED,
  pread,
  pwrite,
  pwritev2,
  ReadWriteFlag,
  Seek,
} from './data-prototypes.js';
import { Errno } from './errno.js';
import { ASYNC_CALLS_MAX, lastErrno } from './libc.js';
import { NativeBuffer } from './native-buffer.js';
import { fillIovec, IOVEC_BYTES } from './scratch.js';

/*
 * The data calls for an event loop: each runs on a thread of libuv's pool (UV_THREADPOOL_SIZE) and resolves to n ≥ 0
 * or a negative errno, EINTR repeated. Until its promise settles the caller keeps the descriptor open: a call still
 * queued would otherwise act on whoever gets the number next. A lent buffer is kept in memory here.
 *
 * koffi saves errno on the pool thread and restores it around the callback (since 3.2), so the first statement of a
 * callback may read it as usual.
 */

type Done = (error: unknown, result: number) => void;

/** Starts one call; `slot` numbers it among those that run now. */
type Start = (done: Done, slot: number) => void;

const iovecs = NativeBuffer.allocate(ASYNC_CALLS_MAX * IOVEC_BYTES);
const freeSlots = Array.from({ length: ASYNC_CALLS_MAX }, (_, slot) => slot);
/** What each running call reads or writes: a pool thread holds only the address, which keeps nothing alive. */
const lentNow = new Array<Buffer | undefined>(ASYNC_CALLS_MAX).fill(undefined);
const waiting: ((slot: number) => void)[] = [];

function leave(slot: number): void {
  lentNow[slot] = undefined;
  const next = waiting.shift();
  if (next === undefined) freeSlots.push(slot);
  else next(slot);
}

function run(start: Start, slot: number, resolve: (result: number) => void): void {
  start((_error, result) => {
    const outcome = result < 0 ? -lastErrno() : result;
    if (outcome === -Errno.EINTR) {
      run(start, slot, resolve);
      return;
    }
    leave(slot);
    resolve(outcome);
  }, slot);
}

function offThread(start: Start, lent?: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const enter = (slot: number): void => {
      lentNow[slot] = lent;
      run(start, slot, resolve);
    };
    const slot = freeSlots.pop();
    if (slot === undefined) waiting.push(enter);
    else enter(slot);
  });
}

/** The address of `length` bytes of the lent buffer from `start` on. */
function addressIn(lent: NativeBuffer, start: number, length: number): number {
  assert(
    start >= 0 && length >= 0 && start + length <= lent.length,
    `bytes ${start} to ${start + length} of a buffer of ${lent.length}`,
  );
  return lent.address + start;
}

/** Moves bytes between `offset` of a file and the lent buffer from `start` on. */
export type AsyncTransfer = (
  fd: number,
  lent: NativeBuffer,
  start: number,
  length: number,
  offset: number,
) => Promise<number>;

function transferBy(call: typeof pread): AsyncTransfer {
  return (fd, lent, start, length, offset) => {
    const address = addressIn(lent, start, length);
    return offThread((done) => {
      call.async(fd, address, length, offset, done);
    }, lent.bytes);
  };
}

/** {@link readAt} into the lent buffer. */
export const readAtAsync = transferBy(pread);

/** {@link writeAt} out of the lent buffer. */
export const writeAtAsync = transferBy(pwrite);

/** {@link writeAtDurable} out of the lent buffer. */
export const writeAtDurableAsync: AsyncTransfer = (fd, lent, start, length, offset) => {
  const address = addressIn(lent, start, length);
  return offThread((done, slot) => {
    const at = slot * IOVEC_BYTES;
    fillIovec(iovecs.view, at, address, length);
    pwritev2.async(fd, iovecs.address + at, 1, offset, ReadWriteFlag.DSYNC, done);
  }, lent.bytes);
};

/** {@link syncData} off the event loop. */
export function syncDataAsync(fd: number): Promise<number> {
  return offThread((done) => {
    fdatasync.async(fd, done);
  });
}

/** {@link punchHole} off the event loop. */
export function punchHoleAsync(fd: number, offset: number, length: number): Promise<number> {
  return offThread((done) => {
    fallocate.async(fd, AllocateMode.PUNCH_HOLE, offset, length, done);
  });
}

/** {@link zeroRange} off the event loop. */
export function zeroRangeAsync(fd: number, offset: number, length: number): Promise<number> {
  return offThread((done) => {
    fallocate.async(fd, AllocateMode.ZERO_RANGE, offset, length, done);
  });
}

/** {@link seekData} off the event loop. */
export function seekDataAsync(fd: number, offset: number): Promise<number> {
  return offThread((done) => {
    lseek.async(fd, offset, Seek.DATA, done);
  });
}

/** {@link seekHole} off the event loop. */
export function seekHoleAsync(fd: number, offset: number): Promise<number> {
  return offThread((done) => {
    lseek.async(fd, offset, Seek.HOLE, done);
  });
}

/** {@link adviseWillNeed} off the event loop, since to begin many reads takes a while. */
export async function adviseWillNeedAsync(fd: number, offset: number, length: number): Promise<number> {
  // posix_fadvise(2) returns its error number.
  const errno = await offThread((done) => {
    fadvise.async(fd, offset, length, POSIX_FADV_WILLNEED, done);
  });
  return -errno || 0;
}
