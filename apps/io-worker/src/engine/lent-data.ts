import { Errno, FileMapping } from '@holdfast/linux';
import { HotRanges } from './hot-ranges.js';
import type { Loans } from './loans.js';

/**
 * How much of a device a session maps at most, in bytes; what lies behind it is read. All threads together, 256 at the most,
 * then take half of the addresses that a process has, and the page tables of one session half a gigabyte.
 */
export const MAPPED_BYTES_MAX = 256 * 1024 ** 3;

/**
 * Lends what lies in the page cache to replies: one send for many READs, and not one read.
 *
 * A loan shows what the device holds when it is sent, which may be a write that came after the READ: the two were under way
 * at once, and the client may not rely on either (spec, "Ordering of messages and writes").
 */
export class LentData implements Disposable {
  readonly #mapping: FileMapping;
  readonly #hot: HotRanges;
  readonly #loans: Loans;

  private constructor(mapping: FileMapping, loans: Loans) {
    this.#mapping = mapping;
    this.#hot = new HotRanges(mapping);
    this.#loans = loans;
  }

  /** Of a device of `sizeBytes`; undefined where it cannot be mapped, or nobody tells what is in the page cache. */
  static of(loans: Loans, device: number, sizeBytes: number): LentData | undefined {
    const length = Math.min(sizeBytes, MAPPED_BYTES_MAX);
    const mapping = length > 0 ? FileMapping.map(device, length) : undefined;
    if (mapping === undefined) return undefined;
    if (mapping.tellsResidence) return new LentData(mapping, loans);
    mapping[Symbol.dispose]();
    return undefined;
  }

  /** Tells the time, in milliseconds of a clock that is never set back; once for each batch of requests. */
  tick(nowMs: number): void {
    this.#hot.tick(nowMs);
  }

  /** A range was trimmed or zeroed, and may be a hole now: tmpfs takes memory for one that is sent from there. */
  forget(fileOffset: number, length: number): void {
    this.#hot.forget(fileOffset, length);
  }

  /** Whether a range can be lent now: it is hot, and there is room for one more. */
  canLend(fileOffset: number, length: number): boolean {
    return this.#loans.hasRoom && this.#hot.includes(fileOffset, length);
  }

  /** Lends a range of the device in place of `length` bytes of the output at `place`. */
  lend(place: number, length: number, fileOffset: number): void {
    this.#loans.lend(place, length, this.#mapping.address + fileOffset);
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }
}

/** Whether a send failed because of the device, and not of the client. */
export function isLostData(errno: number): boolean {
  return errno === Errno.EFAULT;
}
