import type { NativeBuffer } from '@holdfast/linux';
import type { ExtentList } from '@holdfast/nbd-protocol';
import {
  adviseWillNeedAsync,
  Errno,
  punchHoleAsync,
  readAtAsync,
  syncDataAsync,
  writeAtAsync,
  writeAtDurableAsync,
  zeroRangeAsync,
} from '@holdfast/linux';
import type { ZeroesAccount } from '../pins/session-pins.js';
import { CACHE_BYTES_MAX, CACHE_PIECE_BYTES } from './cache-limits.js';
import { extentSourceOf } from '../context/extent-sources.js';
import { DeviceIo } from './device-io.js';
import type { EventedDevice } from './evented-device.js';
import { zeroBuffer } from './zero-buffer.js';
import { isUnsupported, zeroesByWriting } from './zeroing.js';

/**
 * Access to one device off the event loop: whole transfers or an errno, like {@link DeviceIo}. Only a read that the
 * page cache can answer is done at once, since it never waits.
 */
export class AsyncDeviceIo implements EventedDevice {
  readonly #fd: number;
  readonly #cached: DeviceIo;
  readonly #pins: ZeroesAccount;

  constructor(fd: number, pins: ZeroesAccount) {
    this.#fd = fd;
    this.#cached = new DeviceIo(fd, pins);
    this.#pins = pins;
  }

  /** 0 when the page cache had all of it, EAGAIN otherwise; never waits. */
  readCached(address: number, length: number, offset: number): number {
    return this.#cached.readCached(address, length, offset);
  }

  async read(into: NativeBuffer, start: number, length: number, offset: number): Promise<number> {
    for (let done = 0; done < length;) {
      const got = await readAtAsync(this.#fd, into, start + done, length - done, offset + done);
      if (got < 0) return -got;
      // Truncated under us, as in DeviceIo.
      if (got === 0) return Errno.EIO;
      done += got;
    }
    return 0;
  }

  async write(
    from: NativeBuffer,
    start: number,
    length: number,
    offset: number,
    durable: boolean,
  ): Promise<number> {
    const writePiece = durable ? writeAtDurableAsync : writeAtAsync;
    for (let done = 0; done < length;) {
      const put = await writePiece(this.#fd, from, start + done, length - done, offset + done);
      if (put < 0) return -put;
      if (put === 0) return Errno.EIO;
      done += put;
    }
    return 0;
  }

  async flush(): Promise<number> {
    return -(await syncDataAsync(this.#fd));
  }

  /** As {@link DeviceIo.cache}. */
  async cache(offset: number, length: number): Promise<number> {
    const end = offset + Math.min(length, CACHE_BYTES_MAX);
    for (let at = offset; at < end; at += CACHE_PIECE_BYTES) {
      const result = await adviseWillNeedAsync(this.#fd, at, Math.min(CACHE_PIECE_BYTES, end - at));
      if (result < 0) return -result;
    }
    return 0;
  }

  /** As {@link DeviceIo.trim}. */
  async trim(offset: number, length: number, durable: boolean): Promise<number> {
    const result = await this.punch(offset, length);
    if (result < 0 && !isUnsupported(result)) return -result;
    return durable ? this.flush() : 0;
  }

  /** As {@link DeviceIo.zero}. */
  async zero(
    offset: number,
    length: number,
    durable: boolean,
    noHole: boolean,
    fast: boolean,
  ): Promise<number> {
    if (fast && noHole && zeroesByWriting(this.#fd)) return Errno.EOPNOTSUPP;
    const zeroed = await (noHole ? this.zeroInPlace(offset, length) : this.punch(offset, length));
    if (fast && isUnsupported(zeroed)) return Errno.EOPNOTSUPP;
    const errno = isUnsupported(zeroed) ? await this.#writeZeroes(offset, length) : -zeroed;
    return errno === 0 && durable ? this.flush() : errno;
  }

  extents(
    context: string,
    sizeBytes: number,
    extents: ExtentList,
    offset: number,
    length: number,
  ): Promise<number> {
    return extentSourceOf(context).fillAsync(this.#fd, sizeBytes, extents, offset, length);
  }

  /** @returns 0, or a negative errno */
  protected punch(offset: number, length: number): Promise<number> {
    return punchHoleAsync(this.#fd, offset, length);
  }

  /** @returns 0, or a negative errno */
  protected zeroInPlace(offset: number, length: number): Promise<number> {
    return zeroRangeAsync(this.#fd, offset, length);
  }

  async #writeZeroes(offset: number, length: number): Promise<number> {
    const zeroes = zeroBuffer();
    for (let done = 0; done < length; done += zeroes.length) {
      const piece = Math.min(zeroes.length, length - done);
      const errno = await this.#writeZeroPiece(zeroes, piece, offset + done);
      if (errno !== 0) return errno;
    }
    return 0;
  }

  async #writeZeroPiece(zeroes: NativeBuffer, length: number, offset: number): Promise<number> {
    const request = this.#pins.beginZeroes(length);
    try {
      return await this.write(zeroes, 0, length, offset, false);
    } finally {
      this.#pins.endZeroes(request);
    }
  }
}
