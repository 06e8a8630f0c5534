/** Times of short operations on a machine that has other things to do as well. */

/**
 * @param {() => unknown} act
 * @returns {number} milliseconds
 */
export function timed(act) {
  const begin = performance.now();
  act();
  return performance.now() - begin;
}

/** Operations of one kind. */
export class Sample {
  /** @type {number[]} */
  #times = [];
  #interrupted = 0;

  /**
   * Times an operation. One during which the kernel gave the processor to somebody else says nothing about the table: it is
   * counted, not timed.
   *
   * @param {() => unknown} act
   */
  add(act) {
    const before = process.resourceUsage().involuntaryContextSwitches;
    const taken = timed(act);
    if (process.resourceUsage().involuntaryContextSwitches === before) this.#times.push(taken);
    else this.#interrupted++;
  }

  /** @returns {string} `p50 …, p99 …` and how many there were */
  describe() {
    const times = this.#times.toSorted((one, other) => one - other);
    const at = (/** @type {number} */ part) => microseconds(times[Math.floor(times.length * part)] ?? 0);
    return `p50 ${at(0.5)}, p99 ${at(0.99)} (of ${times.length}; ${this.#interrupted} more were interrupted)`;
  }
}

/** @param {number} ms */
export function microseconds(ms) {
  return `${(ms * 1000).toFixed(1)} µs`;
}

/** @param {number} ms */
export function milliseconds(ms) {
  return `${ms.toFixed(2)} ms`;
}
