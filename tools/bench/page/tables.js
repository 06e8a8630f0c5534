/** The whole of it in figures. */
import { secondsPerGib, secondsPerMillion } from '../costs.js';
import { figure, mebibytes, nothing, range, significant } from '../figures.js';
import { judge } from '../goals.js';
import { hasLatency } from '../report.js';
import { htmlTable, tag, text } from './markup.js';

/** @import { Medians, MemorySample, Row } from '../types.js' */

/** @param {readonly Row[]} rows */
export function goalTable(rows) {
  // The verdict first: on a phone, the rest is scrolled to.
  const lines = judge(rows).map(({ goal, row, limit, ratio, verdict }) => [
    ...[row.load.name, row.transport].map(text),
    tag('span', { class: verdict.replace(' ', '-') }, text(verdict)),
    text(figure(ratio?.median, 2)),
    text(`${goal.of === 'speed' ? '≥' : '≤'} ${limit}`),
    text(ratio === undefined ? nothing : range(ratio)),
    text(ratio?.bestPeer ?? nothing),
    text(goal.name),
  ]);
  return htmlTable(['load', 'over', 'verdict', 'ratio', 'is', 'min–max', 'best peer', 'goal'], lines, 3);
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 * @param {string} subject
 */
export function speedTable(rows, names, subject) {
  const lines = rows.map(({ load, transport, medians, ratio }) =>
    [
      ...[load.name, transport, load.unit],
      ...names.map((name) => figure(medians[name]?.value)),
      ...(ratio === undefined
        ? [nothing, nothing, nothing]
        : [figure(ratio.median, 2), range(ratio), ratio.bestPeer]),
    ].map(text),
  );
  return htmlTable(['load', 'over', 'unit', ...names, `${subject} ÷ best`, 'min–max', 'best peer'], lines, 3);
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 * @param {(medians: Medians, row: Row) => string} cell
 */
function perServer(rows, names, cell) {
  const lines = rows.map((row) =>
    [
      ...[row.load.name, row.transport],
      ...names.map((name) => {
        const own = row.medians[name];
        return own === undefined ? nothing : cell(own, row);
      }),
    ].map(text),
  );
  return htmlTable(['load', 'over', ...names], lines, 2);
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 */
export function cpuPerMillionTable(rows, names) {
  return perServer(rows, names, ({ serverCpuUs, clientCpuUs }) =>
    [serverCpuUs, clientCpuUs].map((us) => significant(secondsPerMillion(us))).join(' + '),
  );
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 */
export function cpuPerGibTable(rows, names) {
  return perServer(rows, names, ({ serverCpuUs, clientCpuUs }, { load }) =>
    [serverCpuUs, clientCpuUs].map((us) => significant(secondsPerGib(us, load))).join(' + '),
  );
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} names
 */
export function latencyTable(rows, names) {
  return perServer(rows.filter(hasLatency), names, ({ latencyUsP50, latencyUsP99, latencyUsP999 }) =>
    [latencyUsP50, latencyUsP99, latencyUsP999].map((us) => significant(us)).join(' / '),
  );
}

/** @param {readonly MemorySample[]} samples */
export function memoryTable(samples) {
  const lines = samples.map((sample) =>
    [
      sample.server,
      figure(sample.connections),
      mebibytes(sample.rssBytes),
      mebibytes(sample.pssBytes),
      figure(sample.processes),
      figure(sample.threads),
    ].map(text),
  );
  return htmlTable(['server', 'connections', 'RSS, MiB', 'PSS, MiB', 'processes', 'threads'], lines, 1);
}
