import { GATHER_PIECES_MAX, GatherSend, MessageFlag } from '@holdfast/linux';

/** Each loan is a piece, and there may be one of the buffer before it and one behind the last. */
const LOANS_MAX = GATHER_PIECES_MAX / 2 - 1;

/**
 * Data of queued replies that lies elsewhere than in the output buffer, where its place is left as it was: one send takes it
 * from there for many READs. What is lent stays valid until the send.
 */
export class Loans implements Disposable {
  readonly #message = new GatherSend();
  /** Of each loan: its place in the output, its length, and its address. */
  readonly #places = new Float64Array(LOANS_MAX);
  readonly #lengths = new Float64Array(LOANS_MAX);
  readonly #addresses = new Float64Array(LOANS_MAX);
  #count = 0;

  /** Whether the replies that are queued have loans. */
  get isUsed(): boolean {
    return this.#count > 0;
  }

  /** Whether there may be one more. */
  get hasRoom(): boolean {
    return this.#count < LOANS_MAX;
  }

  /** Puts `length` bytes at `address` in place of those of the output at `place`, behind all loans before. */
  lend(place: number, length: number, address: number): void {
    this.#places[this.#count] = place;
    this.#lengths[this.#count] = length;
    this.#addresses[this.#count] = address;
    this.#count += 1;
  }

  /**
   * Sends `length` bytes of the output from `start` on, with every loan in its place; the loans are over.
   *
   * @param output its address
   * @returns 0, or the Linux errno: EFAULT when what was lent is no more
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
  }
}
