/** Times as people read them. */

/**
 * @param {string} what
 * @param {readonly number[]} milliseconds
 */
export function describeTimes(what, milliseconds) {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (/** @type {number} */ share) =>
    (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  return `${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms (${sorted.length})`;
}
