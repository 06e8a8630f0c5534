/** The plots, each in a card of its own: as many beside each other as there is room for. */
import { secondsPerGib, secondsPerMillion } from '../costs.js';
import { figure, mebibytes, significant } from '../figures.js';
import { hasLatency } from '../report.js';
import { barPlot } from './bars.js';
import { latencyPlot } from './latency-plot.js';
import { tag, text } from './markup.js';
import { ratioPlot } from './ratio-plot.js';

/** @import { Load, Medians, MemorySample, Row } from '../types.js' */

/**
 * @param {string} title
 * @param {string} plot
 */
function card(title, plot) {
  return tag('figure', { class: 'card' }, tag('h3', {}, text(title)), plot);
}

/**
 * @param {readonly string[]} cards
 * @param {string} [kind]
 */
const grid = (cards, kind = 'cards') => tag('div', { class: kind }, ...cards);

/**
 * The rows of each load together.
 * @param {readonly Row[]} rows
 * @returns {[Load, Row[]][]}
 */
function byLoad(rows) {
  const names = [...new Set(rows.map(({ load }) => load.name))];
  return names.map((name) => {
    const own = rows.filter(({ load }) => load.name === name);
    return [/** @type {Row} */ (own[0]).load, own];
  });
}

/** @param {readonly Row[]} rows */
export function ratioCards(rows) {
  const transports = [...new Set(rows.map(({ transport }) => transport))];
  const cards = transports.map((transport) => {
    const label = `over ${transport}`;
    return card(
      label,
      ratioPlot(
        rows.filter((row) => row.transport === transport),
        label,
      ),
    );
  });
  return grid(cards, 'cards wide');
}

/**
 * A group of bars for each row.
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 * @param {(medians: Medians) => { parts: number[], shown: string }} measure
 */
function groupsOf(rows, names, measure) {
  return rows.map(({ transport, medians }) => ({
    title: transport,
    bars: names.flatMap((name, index) => {
      const own = medians[name];
      return own === undefined ? [] : [{ name, index, ...measure(own) }];
    }),
  }));
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 */
export function throughputCards(rows, names) {
  const cards = byLoad(rows).map(([load, own]) => {
    const groups = groupsOf(own, names, ({ value }) => ({ parts: [value], shown: figure(value) }));
    return card(`${load.name}, ${load.unit}`, barPlot(`throughput of ${load.name}`, groups));
  });
  return grid(cards);
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 */
export function latencyCards(rows, names) {
  const cards = byLoad(rows.filter(hasLatency)).map(([load, own]) =>
    card(load.name, latencyPlot(own, names)),
  );
  return grid(cards);
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 */
export function cpuCards(rows, names) {
  const cards = byLoad(rows).map(([load, own]) => {
    const isSmall = load.unit === 'IOPS';
    const cost = (/** @type {number} */ us) => (isSmall ? secondsPerMillion(us) : secondsPerGib(us, load));
    const groups = groupsOf(own, names, ({ serverCpuUs, clientCpuUs }) => {
      const parts = [serverCpuUs, clientCpuUs].map(cost);
      return { parts, shown: parts.map(significant).join(' + ') };
    });
    const unit = isSmall ? 's per million requests' : 's per GiB';
    return card(`${load.name}, ${unit}`, barPlot(`CPU of ${load.name}`, groups));
  });
  return grid(cards);
}

/**
 * @param {readonly MemorySample[]} samples
 * @param {readonly string[]} names
 */
export function memoryCards(samples, names) {
  const counts = [...new Set(samples.map(({ connections }) => connections))];
  const cards = counts.map((count) => {
    const bars = samples
      .filter(({ connections }) => connections === count)
      .map(({ server, pssBytes, rssBytes }) => ({
        name: server,
        index: names.indexOf(server),
        parts: [pssBytes, rssBytes - pssBytes],
        shown: `${mebibytes(pssBytes)} / ${mebibytes(rssBytes)}`,
      }));
    const title = `${figure(count)} idle connections, MiB`;
    return card(title, barPlot(title, [{ title: 'PSS / RSS', bars }]));
  });
  return grid(cards);
}
