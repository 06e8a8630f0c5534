import { counts, blockCount } from './blocks.js';

/**
 * How often is told in steps, one bit each: once, twice, three times, up to 7, 15, 31, 127 and above. A loop that turns
 * 1,000 times is no news after one that turned 500 times.
 *
 * @param {number} count at least 1
 */
function stepOf(count) {
  if (count <= 3) return 1 << (count - 1);
  if (count <= 7) return 8;
  if (count <= 15) return 16;
  if (count <= 31) return 32;
  return count <= 127 ? 64 : 128;
}

/** Which blocks any input has reached, and how often in one run. */
export class Reached {
  #seen = new Uint8Array(counts.length);
  /** Whether some input has reached a block. */
  has(/** @type {number} */ block) {
    return (this.#seen[block] ?? 0) !== 0;
  }

  /** Forgets the counts of what ran before, such as the loading of modules. */
  begin() {
    counts.fill(0, 0, blockCount());
  }

  /** Takes the counts since {@link begin}: true if they show a block, or a number of its runs, that no input showed before. */
  end() {
    const seen = this.#seen;
    const end = blockCount();
    let isNew = false;
    for (let block = 0; block < end; block += 1) {
      const count = counts[block] ?? 0;
      if (count === 0) continue;
      const before = seen[block] ?? 0;
      const after = before | stepOf(count);
      if (after === before) continue;
      seen[block] = after;
      isNew = true;
    }
    return isNew;
  }
}
