/** The arithmetic of a comparison: in which order servers take their turn, and what the rounds amount to. */

/** @import { Round, Summary, Ratio } from './types.js' */

/**
 * The same list, begun elsewhere: who goes first changes from round to round.
 * @template T
 * @param {readonly T[]} list
 * @param {number} by
 * @returns {T[]}
 */
export function rotate(list, by) {
  const start = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

/**
 * @param {readonly number[]} values
 * @returns {number}
 */
export function median(values) {
  if (values.length === 0) throw new RangeError('the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return middle.reduce((sum, value) => sum + value) / middle.length;
}

/**
 * Compares the subject with the best peer of the same round: a noisy minute hits both sides of a ratio.
 * Rounds in which the subject or every peer failed say nothing and are left out.
 * @param {string} subject
 * @param {readonly Round[]} rounds
 * @returns {number[]}
 */
export function ratiosOf(subject, rounds) {
  return rounds.flatMap((round) => {
    const own = round[subject];
    const peers = Object.entries(round).filter(([name]) => name !== subject);
    if (own === undefined || peers.length === 0) return [];
    return [own.value / Math.max(...peers.map(([, measurement]) => measurement.value))];
  });
}

/**
 * @param {string} subject
 * @param {readonly Round[]} rounds
 * @returns {Summary}
 */
export function summarise(subject, rounds) {
  /** @type {Summary['medians']} */
  const medians = {};
  for (const name of new Set(rounds.flatMap((round) => Object.keys(round)))) {
    const own = rounds.flatMap((round) => round[name] ?? []);
    medians[name] = {
      value: median(own.map((measurement) => measurement.value)),
      serverCpuUs: median(own.map((measurement) => measurement.serverCpuUs)),
      clientCpuUs: median(own.map((measurement) => measurement.clientCpuUs)),
    };
  }
  const ratios = ratiosOf(subject, rounds);
  if (ratios.length === 0) return { medians };
  return { medians, ratio: { ...spread(ratios), bestPeer: bestPeerOf(subject, medians) } };
}

/**
 * @param {number[]} ratios
 * @returns {Omit<Ratio, 'bestPeer'>}
 */
function spread(ratios) {
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

/**
 * @param {string} subject
 * @param {Summary['medians']} medians
 * @returns {string}
 */
function bestPeerOf(subject, medians) {
  const peers = Object.entries(medians).filter(([name]) => name !== subject);
  const best = peers.sort(([, a], [, b]) => b.value - a.value)[0];
  if (best === undefined) throw new Error('a ratio without a peer');
  return best[0];
}
