import { FRAGMENTS_MAX } from '../../limits.js';

/** Which bytes of a range have come, as disjoint pieces that do not touch, in ascending order. */
export class CoveredRanges {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /**
   * Adds `length` bytes (at least 1) from `start` on.
   *
   * @returns why they cannot be added; they are not then
   */
  add(start: number, length: number): 'ok' | 'overlap' | 'too-many' {
    const end = start + length;
    const index = this.#firstEndingAtOrAfter(start);
    const touchesLeft = this.#ends[index] === start;
    const right = touchesLeft ? index + 1 : index;
    const rightStart = this.#starts[right];
    if (rightStart !== undefined && rightStart < end) return 'overlap';
    const touchesRight = rightStart === end;
    if (touchesLeft && touchesRight) {
      this.#ends.splice(index, 1);
      this.#starts.splice(right, 1);
    } else if (touchesLeft) {
      this.#ends[index] = end;
    } else if (touchesRight) {
      this.#starts[right] = start;
    } else {
      if (this.#starts.length === FRAGMENTS_MAX) return 'too-many';
      this.#starts.splice(right, 0, start);
      this.#ends.splice(right, 0, end);
    }
    return 'ok';
  }

  /** Whether every byte from 0 to `length` has come. */
  covers(length: number): boolean {
    return length === 0 || (this.#starts[0] === 0 && this.#ends[0] === length);
  }

  /** Chunks come in order from most servers, so the last piece is looked at first. */
  #firstEndingAtOrAfter(start: number): number {
    const ends = this.#ends;
    const last = ends.at(-1);
    if (last === undefined || last < start) return ends.length;
    if (last === start) return ends.length - 1;
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ends[middle] ?? 0) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
