/** What is printed in the end: aligned text that is also Markdown. */
import { cpus, loadavg, release } from 'node:os';

/** @import { Row } from './types.js' */

/** Above this, somebody else is using a core for a good part of the time. */
const loadAverageMax = 0.5;

/**
 * A Markdown table whose columns line up; the first columns are words, the others figures.
 * @param {string[]} head
 * @param {string[][]} rows
 * @param {number} wordColumns
 */
export function table(head, rows, wordColumns) {
  const widths = head.map((title, i) => Math.max(3, title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (/** @type {string[]} */ cells) =>
    `| ${cells.map((cell, i) => pad(cell, widths[i] ?? 0, i < wordColumns)).join(' | ')} |`;
  const rule = widths.map((width, i) => (i < wordColumns ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/**
 * @param {string} text
 * @param {number} width
 * @param {boolean} toTheLeft
 */
function pad(text, width, toTheLeft) {
  return toTheLeft ? text.padEnd(width) : text.padStart(width);
}

/**
 * @param {number | undefined} value
 * @param {number} [digits]
 */
function figure(value, digits = 0) {
  if (value === undefined) return '–';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** @param {number} us */
const cpu = (us) => figure(us, us < 10 ? 2 : us < 100 ? 1 : 0);

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 * @param {string} subject
 */
export function speedTable(rows, names, subject) {
  const head = ['load', 'over', 'unit', ...names, `${subject} ÷ best`, 'best peer', 'min–max'];
  const lines = rows.map(({ load, transport, medians, ratio }) => [
    ...[load.name, transport, load.unit],
    ...names.map((name) => figure(medians[name]?.value)),
    ...(ratio === undefined
      ? ['–', '–', '–']
      : [figure(ratio.median, 2), ratio.bestPeer, `${figure(ratio.min, 2)}–${figure(ratio.max, 2)}`]),
  ]);
  return table(head, lines, 3);
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 */
export function cpuTable(rows, names) {
  const lines = rows.map(({ load, transport, medians }) => [
    ...[load.name, transport],
    ...names.map((name) => {
      const own = medians[name];
      return own === undefined ? '–' : `${cpu(own.serverCpuUs)} + ${cpu(own.clientCpuUs)}`;
    }),
  ]);
  return table(['load', 'over', ...names], lines, 2);
}

/** The machine, in a line. */
export function machine() {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Linux ${release()}, Node ${process.version}`;
}

/** A warning for a machine that is not ours alone; undefined when it is. */
export function busyness() {
  const load = loadavg()[0] ?? 0;
  if (load < loadAverageMax) return undefined;
  return `The machine was busy before we began (load average ${load.toFixed(1)}): trust the ratios, not the figures.`;
}
