import {
  adviseWillNeed,
  Errno,
  punchHole,
  readAt,
  readAtNoWait,
  syncData,
  writeAt,
  writeAtDurable,
  zeroRange,
} from '@holdfast/linux';
import type { ZeroesAccount } from '../pins/session-pins.js';
import { CACHE_BYTES_MAX, CACHE_PIECE_BYTES } from './cache-limits.js';
import { zeroBuffer } from './zero-buffer.js';
import { isUnsupported, zeroesByWriting } from './zeroing.js';

/** Reads of at least this many bytes are not tried without waiting first: their cost is in the copy (data-path study). */
export const NO_WAIT_LENGTH_MAX = 32 * 1024;

/**
 * Blocking access to one device: whole transfers or an errno. Every method returns 0 or a positive errno.
 *
 * A read may first ask the page cache alone (RWF_NOWAIT), so that on a miss everything else that is queued can be read
 * ahead before this one waits.
 */
export class DeviceIo {
  readonly #fd: number;
  readonly #pins: ZeroesAccount;
  #noWait = true;

  constructor(fd: number, pins: ZeroesAccount) {
    this.#fd = fd;
    this.#pins = pins;
  }

  /** Whether reads that never wait are known here; where not (tmpfs, for one), there is little to wait for. */
  get tellsWaits(): boolean {
    return this.#noWait;
  }

  /** A read that never waits: 0 when the page cache had all of it, EAGAIN otherwise. */
  readCached(address: number, length: number, offset: number): number {
    if (!this.#noWait) return Errno.EAGAIN;
    const got = readAtNoWait(this.#fd, address, length, offset);
    if (got === length) return 0;
    // tmpfs and some FUSE file systems have no such reads.
    if (got === -Errno.EOPNOTSUPP) this.#noWait = false;
    return Errno.EAGAIN;
  }

  read(address: number, length: number, offset: number): number {
    let done = 0;
    while (done < length) {
      const got = readAt(this.#fd, address + done, length - done, offset + done);
      if (got < 0) return -got;
      // The file was truncated under us: its size was promised, so this is an I/O error, not an end.
      if (got === 0) return Errno.EIO;
      done += got;
    }
    return 0;
  }

  /** Starts read-ahead of a range; a hint, so its failure is none. */
  readAhead(offset: number, length: number): void {
    adviseWillNeed(this.#fd, offset, length);
  }

  write(address: number, length: number, offset: number, durable: boolean): number {
    let done = 0;
    while (done < length) {
      const put = durable
        ? writeAtDurable(this.#fd, address + done, length - done, offset + done)
        : writeAt(this.#fd, address + done, length - done, offset + done);
      if (put < 0) return -put;
      if (put === 0) return Errno.EIO;
      done += put;
    }
    return 0;
  }

  flush(): number {
    return -syncData(this.#fd);
  }

  /** Starts to read a range into the page cache (CACHE), the beginning of it if it is long. */
  cache(offset: number, length: number): number {
    const end = offset + Math.min(length, CACHE_BYTES_MAX);
    for (let at = offset; at < end; at += CACHE_PIECE_BYTES) {
      const result = adviseWillNeed(this.#fd, at, Math.min(CACHE_PIECE_BYTES, end - at));
      if (result < 0) return -result;
    }
    return 0;
  }

  /** TRIM is a hint (spec, NBD_CMD_TRIM): where no hole can be punched, nothing is done. */
  trim(offset: number, length: number, durable: boolean): number {
    const result = this.punch(offset, length);
    if (result < 0 && !isUnsupported(result)) return -result;
    return durable ? this.flush() : 0;
  }

  /**
   * Zeroes a range, without writing it if the device can. `noHole` keeps it provisioned; `fast` rather changes nothing
   * than write it, and is EOPNOTSUPP then, which is ENOTSUP (T14).
   */
  zero(offset: number, length: number, durable: boolean, noHole: boolean, fast: boolean): number {
    if (fast && noHole && zeroesByWriting(this.#fd)) return Errno.EOPNOTSUPP;
    const zeroed = noHole ? this.zeroInPlace(offset, length) : this.punch(offset, length);
    if (fast && isUnsupported(zeroed)) return Errno.EOPNOTSUPP;
    const errno = isUnsupported(zeroed) ? this.#writeZeroes(offset, length) : -zeroed;
    return errno === 0 && durable ? this.flush() : errno;
  }

  /** @returns 0, or a negative errno */
  protected punch(offset: number, length: number): number {
    return punchHole(this.#fd, offset, length);
  }

  /** @returns 0, or a negative errno */
  protected zeroInPlace(offset: number, length: number): number {
    return zeroRange(this.#fd, offset, length);
  }

  #writeZeroes(offset: number, length: number): number {
    const zeroes = zeroBuffer();
    for (let done = 0; done < length; done += zeroes.length) {
      const piece = Math.min(zeroes.length, length - done);
      const request = this.#pins.beginZeroes(piece);
      const errno = this.write(zeroes.address, piece, offset + done, false);
      this.#pins.endZeroes(request);
      if (errno !== 0) return errno;
    }
    return 0;
  }
}
