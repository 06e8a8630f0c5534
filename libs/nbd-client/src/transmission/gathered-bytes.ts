import { Buffer } from 'node:buffer';

/**
 * Gathers a stated number of bytes from however many pieces they come in. Memory is taken only for what comes in more
 * than one piece; its owner has checked the number before.
 */
export class GatheredBytes {
  #memory: Buffer | undefined;
  #have = 0;

  /** Bytes that are there already. */
  get have(): number {
    return this.#have;
  }

  /**
   * Takes what is missing to `count` from the front of `bytes`. Until all is there, `count` stays the same.
   *
   * @returns how many were taken, and all of them once they are there: lent for the time that `bytes` are
   */
  gather(
    bytes: Uint8Array,
    count: number,
  ): { readonly taken: number; readonly whole: Uint8Array | undefined } {
    const taken = Math.min(count - this.#have, bytes.length);
    if (taken === count) return { taken, whole: bytes.subarray(0, count) };
    this.#memory ??= Buffer.allocUnsafeSlow(count);
    this.#memory.set(bytes.subarray(0, taken), this.#have);
    this.#have += taken;
    if (this.#have < count) return { taken, whole: undefined };
    const whole = this.#memory;
    this.#memory = undefined;
    this.#have = 0;
    return { taken, whole };
  }
}
