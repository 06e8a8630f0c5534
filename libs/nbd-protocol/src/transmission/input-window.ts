import { assert } from '@holdfast/foundation';
import { CHEAP_MOVE_BYTES, PIECE_ALIGNMENT_BYTES } from '../limits.js';

/** The input buffer: what was received and not used yet lies between `head` and `tail`. */
export class InputWindow {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly capacity: number;
  head = 0;
  tail = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.capacity = bytes.length;
  }

  /** Bytes received and not used yet. */
  get buffered(): number {
    return this.tail - this.head;
  }

  /** Uses bytes up. */
  consume(count: number): void {
    this.head += count;
  }

  /** Accepts bytes that were put at `tail`. */
  append(count: number): void {
    assert(count <= this.capacity - this.tail, 'what was received fits the region that was free');
    this.tail += count;
  }

  /**
   * Puts bytes behind those that are buffered.
   *
   * @throws RangeError if they do not fit
   */
  put(bytes: Uint8Array): void {
    if (this.buffered + bytes.length > this.capacity) {
      throw new RangeError(`${bytes.length} bytes do not fit an input buffer of ${this.capacity}`);
    }
    this.makeRoom(this.buffered + bytes.length, 0);
    this.bytes.set(bytes, this.tail);
    this.append(bytes.length);
  }

  /**
   * Moves what is buffered to the front if `wanted` bytes in all do not fit behind `head`, or if moving costs less
   * than the short receive that it avoids.
   *
   * @param lead bytes that come before some that should lie on a page boundary, if nothing is buffered and there is room
   */
  makeRoom(wanted: number, lead: number): void {
    if (this.buffered === 0) {
      const start =
        lead === 0 || PIECE_ALIGNMENT_BYTES + wanted > this.capacity ? 0 : PIECE_ALIGNMENT_BYTES - lead;
      this.head = start;
      this.tail = start;
      return;
    }
    if (this.head === 0) return;
    if (this.head + wanted <= this.capacity && this.buffered > CHEAP_MOVE_BYTES) return;
    this.bytes.copyWithin(0, this.head, this.tail);
    this.tail -= this.head;
    this.head = 0;
  }
}
