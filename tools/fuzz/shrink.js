/** @import { Target } from './types.js' */

/** Attempts to make one input smaller: a second or so. */
const ATTEMPTS_MAX = 3000;

/**
 * What an error is about, without the numbers of the case: inputs that break the same rule are one finding.
 *
 * @param {unknown} error
 */
export function ruleOf(error) {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return (message.split('\n')[0] ?? '').replaceAll(/-?[0-9][0-9a-f]*/g, 'N').slice(0, 160);
}

/**
 * A smaller input that breaks the same rule: pieces are left out, halves first, single bytes last.
 *
 * @param {Target} target
 * @param {Uint8Array} input
 * @param {string} rule
 */
export function shrink(target, input, rule) {
  let smallest = input;
  let attempts = 0;
  for (let size = input.length >> 1; size >= 1; size >>= 1) {
    for (let at = target.setupBytes; at < smallest.length && attempts < ATTEMPTS_MAX;) {
      attempts += 1;
      const candidate = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      if (breaks(target, candidate, rule)) smallest = candidate;
      else at += size;
    }
  }
  return smallest;
}

/**
 * @param {Target} target
 * @param {Uint8Array} input
 * @param {string} rule
 */
function breaks(target, input, rule) {
  try {
    target.run(input);
    return false;
  } catch (error) {
    return ruleOf(error) === rule;
  }
}
