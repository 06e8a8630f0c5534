import { assert } from '@holdfast/foundation';

/** Chunks of a leaf of the tree: the bits of one word. */
const WORD = 32;

/** Chunks that follow each other. */
export interface Run {
  readonly start: number;
  readonly count: number;
}

/**
 * Which of `size` places are free: a bitmap, under a binary tree that knows of each of its parts the longest run of free
 * places and those at its two ends. Finding a run, taking and giving one are O(log size + its words).
 */
export class FreeRuns {
  readonly #bits: Uint32Array;
  /** Leaves of the tree: a power of two. Node 1 is the root, 2n and 2n + 1 are below n. */
  readonly #leaves: number;
  readonly #prefix: Uint32Array;
  readonly #suffix: Uint32Array;
  readonly #longest: Uint32Array;
  #free = 0;

  /** Nothing is free. @param size places, above 0 */
  constructor(readonly size: number) {
    assert(Number.isSafeInteger(size) && size > 0, 'there are places');
    const words = Math.ceil(size / WORD);
    this.#leaves = 2 ** Math.ceil(Math.log2(words));
    this.#bits = new Uint32Array(this.#leaves);
    this.#prefix = new Uint32Array(2 * this.#leaves);
    this.#suffix = new Uint32Array(2 * this.#leaves);
    this.#longest = new Uint32Array(2 * this.#leaves);
  }

  get free(): number {
    return this.#free;
  }

  /** Length of the longest run; 0 when nothing is free. */
  get longest(): number {
    return this.#longest[1] ?? 0;
  }

  isFree(place: number): boolean {
    assert(place >= 0 && place < this.size, 'a place is one of those there are');
    return (((this.#bits[place >>> 5] ?? 0) >>> (place & 31)) & 1) === 1;
  }

  /** The first place of the first run of at least `count`; undefined when there is none. */
  firstRun(count: number): number | undefined {
    assert(count > 0, 'a run has a length');
    if (this.longest < count) return undefined;
    let node = 1;
    let first = 0;
    for (let places = this.#leaves * WORD; places > WORD;) {
      places /= 2;
      const [left, right] = [2 * node, 2 * node + 1];
      const across = (this.#suffix[left] ?? 0) + (this.#prefix[right] ?? 0);
      if ((this.#longest[left] ?? 0) >= count) node = left;
      else if (across >= count) return first + places - (this.#suffix[left] ?? 0);
      else {
        node = right;
        first += places;
      }
    }
    return first + firstRunInWord(this.#bits[first >>> 5] ?? 0, count);
  }

  /** Takes or gives places that follow each other; each must be in the other state. */
  set({ start, count }: Run, free: boolean): void {
    assert(start >= 0 && count > 0 && start + count <= this.size, 'a run is inside');
    const [firstWord, lastWord] = [start >>> 5, (start + count - 1) >>> 5];
    for (let word = firstWord; word <= lastWord; word += 1) {
      const from = Math.max(start, word * WORD) & 31;
      const to = Math.min(start + count, (word + 1) * WORD) - word * WORD;
      const mask = maskOf(from, to);
      const bits = this.#bits[word] ?? 0;
      assert((bits & mask) >>> 0 === (free ? 0 : mask), 'a place is taken once and given once');
      this.#bits[word] = free ? bits | mask : bits & ~mask;
      this.#describeLeaf(word);
    }
    this.#free += free ? count : -count;
    this.#describeAbove(firstWord, lastWord);
  }

  #describeLeaf(word: number): void {
    const bits = this.#bits[word] ?? 0;
    const node = this.#leaves + word;
    this.#prefix[node] = trailingOnes(bits);
    this.#suffix[node] = Math.clz32(~bits);
    this.#longest[node] = longestOnes(bits);
  }

  #describeAbove(firstWord: number, lastWord: number): void {
    let [first, last, places] = [this.#leaves + firstWord, this.#leaves + lastWord, WORD];
    while (first > 1) {
      first >>>= 1;
      last >>>= 1;
      for (let node = first; node <= last; node += 1) this.#describe(node, places);
      places *= 2;
    }
  }

  /** @param places of each half */
  #describe(node: number, places: number): void {
    const [left, right] = [2 * node, 2 * node + 1];
    const [leftPrefix, rightPrefix] = [this.#prefix[left] ?? 0, this.#prefix[right] ?? 0];
    const [leftSuffix, rightSuffix] = [this.#suffix[left] ?? 0, this.#suffix[right] ?? 0];
    this.#prefix[node] = leftPrefix === places ? places + rightPrefix : leftPrefix;
    this.#suffix[node] = rightSuffix === places ? places + leftSuffix : rightSuffix;
    this.#longest[node] = Math.max(
      this.#longest[left] ?? 0,
      this.#longest[right] ?? 0,
      leftSuffix + rightPrefix,
    );
  }
}

/** Bits `from` up to and without `to`. */
function maskOf(from: number, to: number): number {
  const count = to - from;
  return count === WORD ? 0xffff_ffff : (((1 << count) - 1) << from) >>> 0;
}

function trailingOnes(bits: number): number {
  const zeroes = ~bits;
  return zeroes === 0 ? WORD : 31 - Math.clz32(zeroes & -zeroes);
}

function longestOnes(bits: number): number {
  let length = 0;
  for (let rest = bits; rest !== 0; rest &= rest << 1) length += 1;
  return length;
}

/** Position of the first run of at least `count` ones, which is there. */
function firstRunInWord(bits: number, count: number): number {
  let starts = bits;
  for (let more = 1; more < count; more += 1) starts &= bits >>> more;
  return 31 - Math.clz32(starts & -starts);
}
