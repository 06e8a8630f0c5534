import { assert, AssertionFailure } from '@holdfast/foundation';
import { checked, Errno, SystemCallError } from './errno.js';
import { declare, declareVariadic, lastErrno, resultOrErrno } from './libc.js';

const closeFd = declare<[fd: number]>('int close(int fd)');
const fcntl = declareVariadic('int fcntl(int fd, int cmd, ...)');

const F_DUPFD_CLOEXEC = 1030;

/**
 * A file descriptor with one owner, who closes it exactly once. It is not closed when it is forgotten: a handle is
 * let go on purpose or not at all, and a leak shows in `openFdCount`.
 *
 * Open and close both go to libc and never through `node:fs`: a worker thread closes at its end every descriptor that
 * it opened by `fs.open` and did not close by `fs.close`, though the number may be somebody else's by then.
 */
export class OwnedFd implements Disposable {
  #number: number;

  /** Takes over `number`, an open descriptor with close-on-exec set, which nobody else will close. */
  constructor(number: number) {
    assert(Number.isInteger(number) && number >= 0, `${number} is not a file descriptor`);
    this.#number = number;
  }

  /** @throws AssertionFailure once it is closed or released */
  get number(): number {
    assert(this.#number >= 0, 'a file descriptor was used after it was closed');
    return this.#number;
  }

  /** Closed, or released to another owner. */
  get closed(): boolean {
    return this.#number < 0;
  }

  /** A second descriptor of the same open file, close-on-exec (F_DUPFD_CLOEXEC, fcntl(2)). */
  duplicate(): OwnedFd {
    return duplicateFd(this.number);
  }

  /** Gives the descriptor up without closing it: the caller owns the number now. */
  release(): number {
    const { number } = this;
    this.#number = -1;
    return number;
  }

  /**
   * close(2). Whatever it reports, the descriptor is gone afterwards.
   *
   * @throws AssertionFailure when it was closed before, here or behind our back
   * @throws SystemCallError when the kernel reports a late write error (EIO, ENOSPC, EDQUOT)
   */
  close(): void {
    assert(this.#number >= 0, 'a file descriptor was closed twice');
    const number = this.release();
    if (closeFd(number) === 0) return;
    const errno = lastErrno();
    if (errno === Errno.EBADF) throw new AssertionFailure(`file descriptor ${number} was closed by another`);
    // Linux frees the number before close can be interrupted: a retry would close somebody else's descriptor.
    if (errno !== Errno.EINTR) throw new SystemCallError('close', errno, number);
  }

  [Symbol.dispose](): void {
    if (!this.closed) this.close();
  }
}

/**
 * A close-on-exec duplicate of any open descriptor; the original stays with its owner. Both share one open file, so
 * also its flags and its offset.
 *
 * @throws SystemCallError from fcntl(2), EMFILE for one
 */
export function duplicateFd(fd: number): OwnedFd {
  return new OwnedFd(checked('fcntl', resultOrErrno(fcntl(fd, F_DUPFD_CLOEXEC, 'int', 0)), fd));
}
