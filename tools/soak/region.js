/** A part of a disk that belongs to one client: what may stand in it is known, so every read can be checked. */

export const blockBytes = 4096;
const wordsPerBlock = blockBytes / 4;

/**
 * What each block may contain: the generation that was written last, and those of writes since then that were not
 * answered. A read that is right tells which.
 */
export class Region {
  /** @type {Map<number, number[]>} */
  #possible = new Map();
  #generation = 0;

  /**
   * @param {number} id told apart from all other regions of the disk
   * @param {number} offset
   * @param {number} blockCount
   */
  constructor(id, offset, blockCount) {
    this.id = id;
    this.offset = offset;
    this.blockCount = blockCount;
  }

  /** @param {number} block */
  offsetOf(block) {
    return this.offset + block * blockBytes;
  }

  /**
   * New content for some blocks. Until `written` is called they may contain the old or the new.
   * @param {number} first
   * @param {number} count
   */
  prepare(first, count) {
    const generation = ++this.#generation;
    const data = Buffer.alloc(count * blockBytes);
    for (let i = 0; i < count; i++) {
      this.#fill(data.subarray(i * blockBytes), first + i, generation);
      this.#possible.set(first + i, [...(this.#possible.get(first + i) ?? [0]), generation]);
    }
    const written = () => {
      for (let i = 0; i < count; i++) this.#possible.set(first + i, [generation]);
    };
    return { data, written };
  }

  /**
   * Compares what was read. Blocks that were never written are zeroes.
   * @param {number} first
   * @param {Buffer} data
   * @returns {string | undefined} what is wrong
   */
  check(first, data) {
    const expected = Buffer.alloc(blockBytes);
    for (let i = 0; i * blockBytes < data.length; i++) {
      const found = data.subarray(i * blockBytes, (i + 1) * blockBytes);
      const possible = this.#possible.get(first + i) ?? [0];
      const generation = possible.find((one) => {
        this.#fill(expected, first + i, one);
        return found.equals(expected);
      });
      if (generation === undefined)
        return `block ${first + i} of region ${this.id} is not what was written (generation ${possible.join(' or ')})`;
      this.#possible.set(first + i, [generation]);
    }
    return undefined;
  }

  /**
   * xorshift32 (https://doi.org/10.18637/jss.v008.i14), begun with what makes the block this one.
   * @param {Buffer} target
   * @param {number} block
   * @param {number} generation 0: as the disk was in the beginning
   */
  #fill(target, block, generation) {
    if (generation === 0) {
      target.fill(0, 0, blockBytes);
      return;
    }
    let state = (Math.imul(this.id + 1, 0x9e3779b1) ^ Math.imul(block + 1, 0x85ebca6b) ^ generation) | 1;
    for (let word = 0; word < wordsPerBlock; word++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      target.writeInt32LE(state, word * 4);
    }
  }
}
