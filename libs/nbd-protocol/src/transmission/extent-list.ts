import { assert } from '@holdfast/foundation';
import { EXTENTS_PORTION } from '../limits.js';

/**
 * Consecutive extents that a driver reports, in portions: memory is bounded, however many a file has. A record of
 * arrays that is filled again and again.
 */
export class ExtentList {
  readonly #lengths = new Float64Array(EXTENTS_PORTION);
  readonly #flagsHigh = new Uint32Array(EXTENTS_PORTION);
  readonly #flagsLow = new Uint32Array(EXTENTS_PORTION);
  #count = 0;
  #coveredBytes = 0;

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === EXTENTS_PORTION;
  }

  /** Bytes that the extents cover in all. */
  get coveredBytes(): number {
    return this.#coveredBytes;
  }

  clear(): void {
    this.#count = 0;
    this.#coveredBytes = 0;
  }

  /**
   * Appends an extent.
   *
   * @param length bytes, at least 1
   * @param flagsLow the lower 32 bits of its flags, unsigned
   * @param flagsHigh the upper 32 bits, for contexts of 64 bits
   */
  add(length: number, flagsLow: number, flagsHigh = 0): void {
    assert(length >= 1 && !this.isFull, 'an extent has a length, and is added while there is room');
    this.#lengths[this.#count] = length;
    this.#flagsLow[this.#count] = flagsLow;
    this.#flagsHigh[this.#count] = flagsHigh;
    this.#count += 1;
    this.#coveredBytes += length;
  }

  lengthAt(index: number): number {
    return this.#lengths[index] ?? 0;
  }

  flagsLowAt(index: number): number {
    return this.#flagsLow[index] ?? 0;
  }

  flagsHighAt(index: number): number {
    return this.#flagsHigh[index] ?? 0;
  }
}
