/** Whether figures stayed where they were: the median of the second quarter against that of the last. */
import { median } from '../bench/rounds.js';

/** @import { Footprint, Footprints, Trend } from './types.js' */

/** Fewer samples have no quarters. */
export const samplesMin = 8;

/**
 * What a garbage-collected process takes and gives at its own time, beside a share of what it has. A session that is
 * lost costs at least its buffers, and there are hundreds in a minute.
 */
export const memorySlackBytesDefault = 16 << 20;
const memorySlackShare = 0.05;

/**
 * @param {readonly Footprints[]} samples taken at rest, in the order of time
 * @param {number} [memorySlackBytes]
 * @returns {Trend[]}
 */
export function trendsOf(samples, memorySlackBytes = memorySlackBytesDefault) {
  if (samples.length < samplesMin) throw new RangeError(`fewer than ${samplesMin} samples`);
  const services = Object.keys(samples[0] ?? {});
  return services.flatMap((service) =>
    /** @type {const} */ (['memoryBytes', 'descriptors', 'threads']).map((figure) => {
      const values = samples.map((sample) => sample[service]?.[figure] ?? NaN);
      const [second, last] = [quarter(values, 1), quarter(values, 3)].map(median);
      return trend(service, figure, second ?? NaN, last ?? NaN, memorySlackBytes);
    }),
  );
}

/**
 * Descriptors and threads are counted, so one more is one too many; memory has a slack.
 * @param {string} service
 * @param {keyof Footprint} figure
 * @param {number} second
 * @param {number} last
 * @param {number} memorySlackBytes
 * @returns {Trend}
 */
function trend(service, figure, second, last, memorySlackBytes) {
  const slack = figure === 'memoryBytes' ? memorySlackBytes + second * memorySlackShare : 0;
  // A service that is gone has no figures: NaN is flat in no comparison.
  return { service, figure, second, last, slack, isFlat: last <= second + slack };
}

/**
 * @param {readonly number[]} values
 * @param {0 | 1 | 2 | 3} which
 */
function quarter(values, which) {
  const edge = (/** @type {number} */ number) => Math.round((values.length * number) / 4);
  return values.slice(edge(which), edge(which + 1));
}
