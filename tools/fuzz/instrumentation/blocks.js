/** How often each block of the code under test ran. The code that `instrument.js` makes counts here. */

/** More than the code under test has; each module says how many it has before it counts. */
const BLOCKS_MAX = 1 << 14;

/** Counts of the input that runs now. */
export const counts = new Uint32Array(BLOCKS_MAX);

/** @type {{ readonly url: string, readonly first: number, readonly end: number }[]} */
const modules = [];
let used = 0;

/** What an instrumented module asks for, once: where its blocks begin in `counts`. */
Reflect.set(globalThis, 'holdfastBlocks', {
  counts,
  /**
   * @param {string} url
   * @param {number} blocks
   */
  enter(url, blocks) {
    const first = used;
    used += blocks;
    modules.push({ url, first, end: used });
    if (used > BLOCKS_MAX) throw new RangeError(`the code under test has more than ${BLOCKS_MAX} blocks`);
    return first;
  },
});

/** How many blocks there are in all modules that were loaded. */
export function blockCount() {
  return used;
}

/**
 * The blocks of the modules whose URL matches.
 *
 * @param {RegExp} pattern
 */
export function blocksOf(pattern) {
  const own = modules.filter(({ url }) => pattern.test(url));
  return own.flatMap(({ first, end }) => Array.from({ length: end - first }, (_, index) => first + index));
}
