/** The arithmetic of a comparison: in which order servers take their turn, and what the rounds amount to. */

/** @import { Measurement, Medians, Ratio, Round, Summary } from './types.js' */

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
 * Of what is compared, and whether more of it is better. Undefined where there was nothing to measure: on a short run a
 * server may use less CPU than the kernel's clock can tell.
 * @typedef {{ of: (measurement: Medians) => number | undefined, best: 'highest' | 'lowest' }} Merit
 */

/** @type {Merit} */
const speed = { of: (measurement) => measurement.value, best: 'highest' };
/** @type {Merit} */
const cpu = { of: ({ serverCpuUs }) => (serverCpuUs > 0 ? serverCpuUs : undefined), best: 'lowest' };

/**
 * Compares the subject with the best peer of the same round: a noisy minute hits both sides of a ratio.
 * Rounds in which the subject or every peer failed say nothing and are left out.
 * @param {string} subject
 * @param {readonly Round[]} rounds
 * @param {Merit} [merit]
 * @returns {number[]}
 */
export function ratiosOf(subject, rounds, merit = speed) {
  return rounds.flatMap((round) => {
    const { [subject]: own, ...others } = round;
    const mine = own && merit.of(own);
    const peers = Object.values(others).flatMap((measurement) => merit.of(measurement) ?? []);
    if (mine === undefined || peers.length === 0) return [];
    return [mine / (merit.best === 'highest' ? Math.max(...peers) : Math.min(...peers))];
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
  for (const name of new Set(rounds.flatMap((round) => Object.keys(round))))
    medians[name] = mediansOf(rounds.flatMap((round) => round[name] ?? []));
  const ratio = ratioOf(subject, rounds, medians, speed);
  const cpuRatio = ratioOf(subject, rounds, medians, cpu);
  return {
    medians,
    ...(ratio === undefined ? {} : { ratio }),
    ...(cpuRatio === undefined ? {} : { cpuRatio }),
  };
}

/**
 * @param {readonly Measurement[]} measurements
 * @returns {Medians}
 */
function mediansOf(measurements) {
  const of = (/** @type {keyof Medians} */ key) => median(measurements.map((one) => one[key] ?? 0));
  const latencies = /** @type {const} */ (['latencyUsP50', 'latencyUsP99', 'latencyUsP999']);
  const known = latencies.filter((key) => measurements.every((one) => one[key] !== undefined));
  return {
    value: of('value'),
    serverCpuUs: of('serverCpuUs'),
    clientCpuUs: of('clientCpuUs'),
    ...Object.fromEntries(known.map((key) => [key, of(key)])),
  };
}

/**
 * @param {string} subject
 * @param {readonly Round[]} rounds
 * @param {Summary['medians']} medians
 * @param {Merit} merit
 * @returns {Ratio | undefined}
 */
function ratioOf(subject, rounds, medians, merit) {
  const ratios = ratiosOf(subject, rounds, merit);
  if (ratios.length === 0) return undefined;
  const peers = Object.keys(medians).filter((name) => name !== subject);
  const sign = merit.best === 'highest' ? -1 : 1;
  const rank = (/** @type {string} */ name) =>
    sign * (merit.of(/** @type {Medians} */ (medians[name])) ?? Infinity);
  const bestPeer = peers.sort((a, b) => rank(a) - rank(b))[0] ?? '';
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios), bestPeer };
}
