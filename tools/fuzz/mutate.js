/** @import { Random } from './random.js' */
/** @import { Target } from './types.js' */

/** Values at which code changes its mind; written in 1, 2, 4 or 8 bytes. */
const EDGES = [
  0n,
  1n,
  2n,
  3n,
  4n,
  7n,
  8n,
  11n,
  12n,
  15n,
  16n,
  20n,
  28n,
  31n,
  32n,
  63n,
  64n,
  127n,
  128n,
  255n,
  256n,
  511n,
  512n,
  4095n,
  4096n,
  8191n,
  8192n,
  0x7fffn,
  0x8000n,
  0x8001n,
  0x8002n,
  0xffffn,
  0x10000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  1n << 32n,
  (1n << 53n) - 1n,
  1n << 53n,
  1n << 63n,
  (1n << 64n) - 1n,
];

/**
 * A new input, made of one that reached something by a few changes.
 *
 * @param {Target} target
 * @param {Random} random
 * @param {readonly Uint8Array[]} corpus
 */
export function mutate(target, random, corpus) {
  let input = parent(random, corpus);
  for (let turns = 1 + random.below(4); turns > 0; turns -= 1) input = changed(target, random, corpus, input);
  return input.subarray(0, target.inputBytesMax);
}

/**
 * Half of the time one of those found last: they are where the news are.
 *
 * @param {Random} random
 * @param {readonly Uint8Array[]} corpus
 */
function parent(random, corpus) {
  const recent = Math.min(corpus.length, 24);
  const index = random.oneIn(2) ? corpus.length - 1 - random.below(recent) : random.below(corpus.length);
  return corpus[index] ?? new Uint8Array();
}

/**
 * @param {Target} target
 * @param {Random} random
 * @param {readonly Uint8Array[]} corpus
 * @param {Uint8Array} input
 * @returns {Uint8Array}
 */
function changed(target, random, corpus, input) {
  const { setupBytes } = target;
  const at = setupBytes + random.below(Math.max(1, input.length - setupBytes));
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return spliced(input, boundary(target, random, input), 0, target.message(random, input));
    case 3:
      return withoutMessage(target, random, input);
    case 4:
      return crossed(target, random, input, parent(random, corpus));
    case 5:
      return overwritten(input, random.below(setupBytes), random.bytes(1));
    case 6:
      return overwritten(input, at, bytesOf(random.pick(EDGES), random.pick([1, 2, 4, 8])));
    case 7:
      return overwritten(input, at, Uint8Array.of((input[at] ?? 0) ^ (1 << random.below(8))));
    case 8:
      return overwritten(input, at, Uint8Array.of((input[at] ?? 0) + random.pick([1, -1, 16, -16])));
    case 9:
      return spliced(input, at, 0, random.bytes(1 + random.below(16)));
    case 10:
      return spliced(input, at, 1 + random.below(16), new Uint8Array());
    default:
      return overwritten(input, at, random.bytes(1 + random.below(4)));
  }
}

/**
 * @param {Target} target
 * @param {Random} random
 * @param {Uint8Array} input
 */
function boundary(target, random, input) {
  return random.oneIn(2) ? input.length : random.pick([...target.boundaries(input), input.length]);
}

/**
 * @param {Target} target
 * @param {Random} random
 * @param {Uint8Array} input
 */
function withoutMessage(target, random, input) {
  const edges = [...target.boundaries(input), input.length];
  const index = random.below(Math.max(1, edges.length - 1));
  const from = edges[index] ?? input.length;
  return spliced(input, from, (edges[index + 1] ?? input.length) - from, new Uint8Array());
}

/**
 * The beginning of one, the end of the other.
 *
 * @param {Target} target
 * @param {Random} random
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 */
function crossed(target, random, one, other) {
  const end = boundary(target, random, one);
  return spliced(one, end, one.length - end, other.subarray(boundary(target, random, other)));
}

/**
 * @param {Uint8Array} input
 * @param {number} at
 * @param {number} removed
 * @param {Uint8Array} added
 */
function spliced(input, at, removed, added) {
  return Buffer.concat([input.subarray(0, at), added, input.subarray(at + removed)]);
}

/**
 * @param {Uint8Array} input
 * @param {number} at
 * @param {Uint8Array} bytes
 */
function overwritten(input, at, bytes) {
  return spliced(input, at, bytes.length, bytes);
}

/**
 * @param {bigint} value
 * @param {number} size
 */
function bytesOf(value, size) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(8 * size, value));
  return bytes.subarray(8 - size);
}
