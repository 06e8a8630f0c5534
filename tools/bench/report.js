/** What is printed in the end: aligned text that is also Markdown. */
import { secondsPerGib, secondsPerMillion } from './costs.js';
import { figure, mebibytes, nothing, range, significant } from './figures.js';
import { countVerdicts, judge } from './goals.js';

/** @import { Medians, Results, Row } from './types.js' */

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
      ? [nothing, nothing, nothing]
      : [figure(ratio.median, 2), ratio.bestPeer, range(ratio)]),
  ]);
  return table(head, lines, 3);
}

/**
 * One cell a server: what it reached, or a dash.
 * @param {Row} row
 * @param {readonly string[]} names
 * @param {(medians: Medians) => string} cell
 */
function cells({ medians }, names, cell) {
  return names.map((name) => {
    const own = medians[name];
    return own === undefined ? nothing : cell(own);
  });
}

/**
 * Small requests by the million, large ones by the GiB.
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 */
export function cpuTable(rows, names) {
  const lines = rows.map((row) => {
    const { load, transport } = row;
    const cost = (/** @type {number} */ us) =>
      significant(load.unit === 'IOPS' ? secondsPerMillion(us) : secondsPerGib(us, load));
    const both = (/** @type {Medians} */ own) => `${cost(own.serverCpuUs)} + ${cost(own.clientCpuUs)}`;
    return [load.name, transport, load.unit === 'IOPS' ? '10⁶ requests' : 'GiB', ...cells(row, names, both)];
  });
  return table(['load', 'over', 'per', ...names], lines, 3);
}

/**
 * Not every client tells.
 * @param {Row} row
 */
export function hasLatency({ medians }) {
  return Object.values(medians).some(({ latencyUsP50 }) => latencyUsP50 !== undefined);
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 */
export function latencyTable(rows, names) {
  const known = rows.filter(hasLatency);
  const three = (/** @type {Medians} */ own) =>
    [own.latencyUsP50, own.latencyUsP99, own.latencyUsP999].map((us) => significant(us)).join(' / ');
  const lines = known.map((row) => [row.load.name, row.transport, ...cells(row, names, three)]);
  return table(['load', 'over', ...names], lines, 2);
}

/** @param {Results} results */
export function memoryTable({ memory, servers }) {
  const counts = [...new Set(memory.map(({ connections }) => connections))].sort((a, b) => a - b);
  const lines = servers
    .filter(({ name }) => memory.some(({ server }) => server === name))
    .map(({ name }) => [
      name,
      ...counts.map((count) => {
        const sample = memory.find(({ server, connections }) => server === name && connections === count);
        return sample === undefined
          ? nothing
          : `${mebibytes(sample.rssBytes)} (${mebibytes(sample.pssBytes)})`;
      }),
    ]);
  return table(['idle connections', ...counts.map((count) => figure(count))], lines, 1);
}

/** @param {readonly Row[]} rows */
export function goalTable(rows) {
  const lines = judge(rows).map(({ goal, row, limit, ratio, verdict }) => [
    ...[goal.name, row.load.name, row.transport],
    ...[`${goal.of === 'speed' ? '≥' : '≤'} ${limit}`, figure(ratio?.median, 2)],
    ...[ratio === undefined ? nothing : range(ratio), ratio?.bestPeer ?? nothing, verdict],
  ]);
  return table(['goal', 'load', 'over', 'is', 'ratio', 'min–max', 'best peer', 'verdict'], lines, 3);
}

/**
 * Machine, settings and versions, a line each.
 * @param {Results} results
 */
export function about({ machine, plan, servers, rows, warnings }) {
  const gib = Math.round(machine.memoryBytes / 2 ** 30);
  return [
    `${machine.cores} × ${machine.processor}, ${gib} GiB, Linux ${machine.kernel}, Node ${machine.node}`,
    ...(rows.length === 0
      ? []
      : [
          `${plan.rounds} rounds of ${plan.seconds} s, image of ${figure(plan.sizeBytes / 2 ** 20)} MiB on ${machine.fileSystems.disk}`,
        ]),
    ...servers.flatMap(({ name, version, settings }) =>
      Object.entries(settings).map(([mode, words]) => `${name} ${version}, ${mode}: ${words}`),
    ),
    ...warnings,
  ];
}

/** @param {Results} results */
export function closingText(results) {
  const { rows, memory, subject } = results;
  const names = results.servers.map(({ name }) => name);
  /** @type {[string, string][]} */
  const parts = [];
  if (rows.length > 0) {
    parts.push(
      ['Speed', speedTable(rows, names, subject)],
      ['CPU seconds, server + client', cpuTable(rows, names)],
    );
    if (rows.some(hasLatency)) parts.push(['Latency in µs, p50 / p99 / p99.9', latencyTable(rows, names)]);
  }
  if (memory.length > 0) parts.push(['Memory in MiB, RSS (PSS)', memoryTable(results)]);
  if (judge(rows).length > 0)
    parts.push([`Goals of ${subject} ÷ best peer, ${countVerdicts(rows)}`, goalTable(rows)]);
  const sections = parts.map(([title, text]) => `${title}:\n\n${text}`);
  return `\n${[...sections, about(results).join('\n')].join('\n\n')}`;
}
