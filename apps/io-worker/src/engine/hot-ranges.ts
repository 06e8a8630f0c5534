import type { FileMapping } from '@holdfast/linux';

/** What is looked up at once: a READ of 4 KiB is one of 64 that a look of two microseconds serves. */
const REGION_BYTES = 256 * 1024;

/** How many regions are remembered: those of 4 GiB. Two that share a cell are looked up in turn. */
const CELLS = 16 * 1024;

/** How long an answer is relied on. What is evicted meanwhile is read again by the send, which waits for it. */
const TRUST_MS = 500;

/** So many looks in a row that found a region cold say that the page cache does not have this device. */
const VAIN_LOOKS = 8;

/** That may change: one question of so many looks again. */
const QUESTIONS_A_LOOK = 32;

const NO_REGION = -1;

/** Which ranges of a device are in the page cache, as far as one session has looked lately. */
export class HotRanges {
  readonly #mapping: FileMapping;
  readonly #regions = new Float64Array(CELLS).fill(NO_REGION);
  /** Until when a cell is relied on; negative: that it is cold. */
  readonly #trust = new Float64Array(CELLS);
  #now = 0;
  /** Looks in vain, and questions that were not looked up, since a region was hot. */
  #vain = 0;

  constructor(mapping: FileMapping) {
    this.#mapping = mapping;
  }

  /** Tells the time, in milliseconds of a clock that is never set back; once for each batch of requests. */
  tick(nowMs: number): void {
    this.#now = nowMs;
  }

  /** What was found out about a range may be wrong now. */
  forget(offset: number, length: number): void {
    const first = Math.floor(offset / REGION_BYTES);
    const last = Math.floor((offset + length - 1) / REGION_BYTES);
    if (last - first >= CELLS) this.#regions.fill(NO_REGION);
    else for (let region = first; region <= last; region += 1) this.#regions[region % CELLS] = NO_REGION;
  }

  /** Whether all of a range can be sent without a wait for the device, in all likelihood. */
  includes(offset: number, length: number): boolean {
    const end = offset + length;
    if (end > this.#mapping.length) return false;
    const last = Math.floor((end - 1) / REGION_BYTES);
    for (let region = Math.floor(offset / REGION_BYTES); region <= last; region += 1) {
      if (!this.#isHot(region)) return false;
    }
    return true;
  }

  #isHot(region: number): boolean {
    const cell = region % CELLS;
    if (this.#regions[cell] === region) {
      const trust = this.#trust[cell] ?? 0;
      if (Math.abs(trust) > this.#now) return trust > 0;
    }
    if (this.#vain >= VAIN_LOOKS) {
      this.#vain += 1;
      if (this.#vain % QUESTIONS_A_LOOK !== 0) return false;
    }
    const start = region * REGION_BYTES;
    const isHot = this.#mapping.isResident(start, Math.min(REGION_BYTES, this.#mapping.length - start));
    this.#vain = isHot ? 0 : this.#vain + 1;
    this.#regions[cell] = region;
    this.#trust[cell] = isHot ? this.#now + TRUST_MS : -(this.#now + TRUST_MS);
    return isHot;
  }
}
