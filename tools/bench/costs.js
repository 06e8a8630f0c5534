/** What CPU time a load cost, in the two measures that people compare. */

/** @import { Load } from './types.js' */

/**
 * CPU seconds for a million requests: the same number as microseconds for one.
 * @param {number} cpuUs of one request
 */
export const secondsPerMillion = (cpuUs) => cpuUs;

/**
 * CPU seconds for one GiB moved.
 * @param {number} cpuUs of one request
 * @param {Pick<Load, 'blockBytes'>} load
 */
export function secondsPerGib(cpuUs, { blockBytes }) {
  return (cpuUs / 1e6) * (2 ** 30 / blockBytes);
}
