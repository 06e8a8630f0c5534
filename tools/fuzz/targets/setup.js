/** What targets share: reading the bytes that set a subject up. */
import { Random } from '../random.js';

/** Takes choices from the bytes in front of an input, one after the other; what is not there is 0. */
export class Setup {
  #bytes;
  #at = 0;

  /** @param {Uint8Array} input */
  constructor(input) {
    this.#bytes = input;
  }

  uint8() {
    return this.#bytes[this.#at++] ?? 0;
  }

  uint16() {
    return (this.uint8() << 8) | this.uint8();
  }

  uint32() {
    return ((this.uint16() << 16) | this.uint16()) >>> 0;
  }

  /**
   * @template Value
   * @param {readonly Value[]} values at least one
   */
  pick(values) {
    return /** @type {Value} */ (values[this.uint8() % values.length]);
  }
}

/**
 * Cuts a stream into pieces, mostly short ones.
 *
 * @param {Uint8Array} stream
 * @param {number} seed
 */
export function cut(stream, seed) {
  const random = new Random(seed);
  const pieces = [];
  for (let at = 0; at < stream.length;) {
    const size = 1 + random.below(random.oneIn(3) ? 4000 : 60);
    pieces.push(stream.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
