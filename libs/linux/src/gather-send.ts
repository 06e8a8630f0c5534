import { assert } from '@holdfast/foundation';
import { Errno } from './errno.js';
import { lastErrno } from './libc.js';
import { MessageHeader, sendmsg } from './message-header.js';
import { NativeBuffer } from './native-buffer.js';
import { fillIovec, IOVEC_BYTES, storeInteger } from './scratch.js';
import { MessageFlag } from './socket-calls.js';

/** UIO_MAXIOV of <linux/uio.h>: the kernel takes no more pieces at once. */
export const GATHER_PIECES_MAX = 1024;

// The iovecs lie behind the header, of which all else is 0.
const { IOV_POINTER, IOV_COUNT, BYTES: HEADER_BYTES } = MessageHeader;

/** Pieces of memory that are sent one after the other as if they were one (sendmsg(2)); none is copied before. */
export class GatherSend implements Disposable {
  readonly #memory = NativeBuffer.allocate(HEADER_BYTES + GATHER_PIECES_MAX * IOVEC_BYTES);
  readonly #view: DataView;
  readonly #address: number;
  /** Bytes of each piece. */
  readonly #lengths = new Float64Array(GATHER_PIECES_MAX);
  #count = 0;

  constructor() {
    // Taken once: the buffer's own checks would cost more than the stores.
    const { view, address } = this.#memory;
    this.#view = view;
    this.#address = address;
  }

  /** @param length bytes; a piece of none is left out */
  add(address: number, length: number): void {
    if (length === 0) return;
    assert(this.#count < GATHER_PIECES_MAX, 'a message of too many pieces');
    fillIovec(this.#view, HEADER_BYTES + this.#count * IOVEC_BYTES, address, length);
    this.#lengths[this.#count] = length;
    this.#count += 1;
  }

  /**
   * Sends all pieces, blocking, with MSG_NOSIGNAL, and forgets them.
   *
   * @returns 0, or the Linux errno: EFAULT when a piece is of a file that has lost it; what came before may be sent then
   */
  send(fd: number, flags: number): number {
    let first = 0;
    let errno = 0;
    while (first < this.#count && errno === 0) {
      storeInteger(this.#view, IOV_POINTER, this.#address + HEADER_BYTES + first * IOVEC_BYTES);
      storeInteger(this.#view, IOV_COUNT, this.#count - first);
      const sent = sendmsg(fd, this.#address, flags | MessageFlag.NOSIGNAL);
      if (sent >= 0) first = this.#skip(first, sent);
      else {
        errno = lastErrno();
        if (errno === Errno.EINTR) errno = 0;
      }
    }
    this.#count = 0;
    return errno;
  }

  /** Nothing is sent any more. */
  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }

  /** Takes sent bytes off the pieces from `first` on. @returns the first that is not sent whole */
  #skip(first: number, sent: number): number {
    let left = sent;
    let at = first;
    while (at < this.#count) {
      const length = this.#lengths[at] ?? 0;
      if (left < length) break;
      left -= length;
      at += 1;
    }
    if (left > 0) this.#shorten(at, left);
    return at;
  }

  #shorten(piece: number, sent: number): void {
    const cell = HEADER_BYTES + piece * IOVEC_BYTES;
    const length = (this.#lengths[piece] ?? 0) - sent;
    fillIovec(this.#view, cell, Number(this.#view.getBigUint64(cell, true)) + sent, length);
    this.#lengths[piece] = length;
  }
}
