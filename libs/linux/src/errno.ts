import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { HoldfastError } from '@holdfast/foundation';

/** The error numbers this room tells apart: asm-generic, so the same on x86-64 and aarch64 (errno(3)). */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EPIPE: 32,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  EPROTO: 71,
  EOVERFLOW: 75,
  ENOTSOCK: 88,
  EMSGSIZE: 90,
  EPROTOTYPE: 91,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  ENOBUFS: 105,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOTCONN: 107,
  ETOOMANYREFS: 109,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EDQUOT: 122,
} as const;

const namesByNumber = new Map(Object.entries(Errno).map(([name, number]) => [number as number, name]));
const systemNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** The symbolic name of a positive error number: `ENOENT` for 2; `errno 4095` for one that has no name. */
export function errnoName(errno: number): string {
  return namesByNumber.get(errno) ?? systemNames.get(errno) ?? `errno ${errno}`;
}

/** What the error number means, in the words of strerror(3): `no such file or directory`. */
function errnoMeaning(errno: number): string | undefined {
  return getSystemErrorMap().get(-errno)?.[1];
}

/**
 * A system call that the kernel refused: `open("/x/y"): ENOENT, no such file or directory`.
 * Its code is SYSTEM_CALL_FAILED; `call` and `errno` also stand in the metadata.
 */
export class SystemCallError extends HoldfastError {
  /** The call as its man page in section 2 names it. */
  readonly call: string;
  /** The positive error number, errno(3). */
  readonly errno: number;

  /** @param subject what the call was about: a path, or a file descriptor */
  constructor(call: string, errno: number, subject?: string | number) {
    const about =
      subject === undefined ? '' : `(${typeof subject === 'string' ? JSON.stringify(subject) : subject})`;
    const meaning = errnoMeaning(errno);
    super(
      'SYSTEM_CALL_FAILED',
      `${call}${about}: ${errnoName(errno)}${meaning === undefined ? '' : `, ${meaning}`}`,
      { call, errno: errnoName(errno) },
    );
    this.call = call;
    this.errno = errno;
  }
}

/** Passes a result that is not negative on; a negative errno becomes a {@link SystemCallError}. */
export function checked(call: string, result: number, subject?: string | number): number {
  if (result < 0) throw new SystemCallError(call, -result, subject);
  return result;
}
