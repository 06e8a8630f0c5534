import { Errno, FileMapping, GATHER_PIECES_MAX, GatherSend, MessageFlag } from '@holdfast/linux';
import { HotRanges } from './hot-ranges.js';

/** Each loan is a piece, and there may be one of the buffer before it and one behind the last. */
const LOANS_MAX = GATHER_PIECES_MAX / 2 - 1;

/**
 * How much of a device a session maps at most, in bytes; what lies behind it is read. All threads together, 256 at the most,
 * then take half of the addresses that a process has, and the page tables of one session half a gigabyte.
 */
export const MAPPED_BYTES_MAX = 256 * 1024 ** 3;

/**
 * Data of queued replies that lies in the page cache and is sent from there: one send for many READs, and not one read. In
 * the output buffer its place is left as it was.
 *
 * A loan shows what the device holds when it is sent, which may be a write that came after the READ: the two were under way
 * at once, and the client may not rely on either (spec, "Ordering of messages and writes").
 */
export class LentData implements Disposable {
  readonly #mapping: FileMapping;
  readonly #hot: HotRanges;
  readonly #message = new GatherSend();
  /** Of each loan: its place in the output, its length, and its address. */
  readonly #places = new Float64Array(LOANS_MAX);
  readonly #lengths = new Float64Array(LOANS_MAX);
  readonly #addresses = new Float64Array(LOANS_MAX);
  #count = 0;

  private constructor(mapping: FileMapping) {
    this.#mapping = mapping;
    this.#hot = new HotRanges(mapping);
  }

  /** Of a device of `sizeBytes`; undefined where it cannot be mapped, or nobody tells what is in the page cache. */
  static of(device: number, sizeBytes: number): LentData | undefined {
    const length = Math.min(sizeBytes, MAPPED_BYTES_MAX);
    const mapping = length > 0 ? FileMapping.map(device, length) : undefined;
    if (mapping === undefined) return undefined;
    if (mapping.tellsResidence) return new LentData(mapping);
    mapping[Symbol.dispose]();
    return undefined;
  }

  /** Whether the replies that are queued have loans. */
  get isUsed(): boolean {
    return this.#count > 0;
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
    return this.#count < LOANS_MAX && this.#hot.includes(fileOffset, length);
  }

  /** Puts a range of the device in place of `length` bytes of the output at `place`, behind all loans before. */
  lend(place: number, length: number, fileOffset: number): void {
    this.#places[this.#count] = place;
    this.#lengths[this.#count] = length;
    this.#addresses[this.#count] = this.#mapping.address + fileOffset;
    this.#count += 1;
  }

  /**
   * Sends `length` bytes of the output from `start` on, with every loan in its place; the loans are over.
   *
   * @param output its address
   * @returns 0, or the Linux errno: EFAULT when the device has become shorter than what was lent
   */
  send(socket: number, output: number, start: number, length: number, more: boolean): number {
    const message = this.#message;
    let at = start;
    for (let loan = 0; loan < this.#count; loan += 1) {
      const place = this.#places[loan] ?? 0;
      const bytes = this.#lengths[loan] ?? 0;
      message.add(output + at, place - at);
      message.add(this.#addresses[loan] ?? 0, bytes);
      at = place + bytes;
    }
    message.add(output + at, start + length - at);
    this.#count = 0;
    return message.send(socket, more ? MessageFlag.MORE : 0);
  }

  [Symbol.dispose](): void {
    this.#message[Symbol.dispose]();
    this.#mapping[Symbol.dispose]();
  }
}

/** Whether a send failed because of the device, and not of the client. */
export function isLostData(errno: number): boolean {
  return errno === Errno.EFAULT;
}
