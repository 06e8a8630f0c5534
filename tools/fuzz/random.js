/** Pseudo-random numbers that a seed makes again. */
export class Random {
  #state;

  /** @param {number} seed an integer below 2^32 */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** An integer below 2^32 (mulberry32). */
  uint32() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /**
   * An integer from 0 up to `end`, without it.
   *
   * @param {number} end
   */
  below(end) {
    return Math.floor((this.uint32() / 2 ** 32) * end);
  }

  /** @param {number} count one time in so many */
  oneIn(count) {
    return this.below(count) === 0;
  }

  /**
   * @template Value
   * @param {readonly Value[]} values at least one
   */
  pick(values) {
    return /** @type {Value} */ (values[this.below(values.length)]);
  }

  /** @param {number} length */
  bytes(length) {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
