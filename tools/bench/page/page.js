/** The report as one HTML file: no script, no network, nothing beside it. */
import { countVerdicts, judge } from '../goals.js';
import { about } from '../report.js';
import * as cards from './cards.js';
import { tag, text } from './markup.js';
import { colour, style } from './style.js';
import * as tables from './tables.js';

/** @import { Results } from '../types.js' */

/**
 * @param {Results} results
 * @returns {string}
 */
export function pageOf(results) {
  const { subject } = results;
  const title = `${subject} and other NBD servers`;
  const sections = sectionsOf(results);
  const head = tag(
    'head',
    {},
    tag('meta', { charset: 'utf-8' }),
    tag('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    tag('title', {}, text(title)),
    tag('style', {}, style),
  );
  const links = sections.map(({ id, name }) => tag('a', { href: `#${id}` }, text(name)));
  const body = tag(
    'body',
    {},
    tag('h1', {}, text(title)),
    tag('p', { class: 'soft' }, text(`Measured by tools/bench, ${results.takenAt}`)),
    ...results.warnings.map((warning) => tag('p', { class: 'warning' }, text(warning))),
    tag('nav', {}, ...links),
    legend(results),
    ...sections.map(({ id, name, parts }) => tag('section', { id }, tag('h2', {}, text(name)), ...parts)),
  );
  return `<!DOCTYPE html>\n${tag('html', { lang: 'en' }, head, body)}\n`;
}

/**
 * @param {Results} results
 * @returns {{ id: string, name: string, parts: string[] }[]}
 */
function sectionsOf(results) {
  const { rows, memory, failures, subject } = results;
  const names = results.servers.map(({ name }) => name);
  const goals = judge(rows);
  const speed = [
    ...(goals.length === 0
      ? []
      : [
          {
            id: 'goals',
            name: 'Goals',
            parts: [words(`${countVerdicts(rows)}. ${explanations.goals}`), tables.goalTable(rows)],
          },
        ]),
    {
      id: 'ratios',
      name: `${subject} ÷ best peer`,
      parts: [words(explanations.ratios), cards.ratioCards(rows)],
    },
    {
      id: 'throughput',
      name: 'Throughput',
      parts: [
        words(explanations.throughput),
        cards.throughputCards(rows, names),
        tables.speedTable(rows, names, subject),
      ],
    },
    {
      id: 'latency',
      name: 'Latency',
      parts: [words(explanations.latency), cards.latencyCards(rows, names), tables.latencyTable(rows, names)],
    },
    {
      id: 'cpu',
      name: 'CPU',
      parts: [
        words(explanations.cpu),
        cards.cpuCards(rows, names),
        tag('h3', {}, 'CPU seconds per million requests, server + client'),
        tables.cpuPerMillionTable(rows, names),
        tag('h3', {}, 'CPU seconds per GiB, server + client'),
        tables.cpuPerGibTable(rows, names),
      ],
    },
  ];
  return [
    ...(rows.length === 0 ? [] : speed),
    ...(memory.length === 0
      ? []
      : [
          {
            id: 'memory',
            name: 'Memory',
            parts: [words(explanations.memory), cards.memoryCards(memory, names), tables.memoryTable(memory)],
          },
        ]),
    ...(failures.length === 0 ? [] : [{ id: 'failures', name: 'What failed', parts: [list(failures)] }]),
    { id: 'about', name: 'Machine, versions, settings', parts: [list(about(results))] },
  ];
}

const explanations = {
  goals:
    'Met or missed when every round says so; within noise when rounds are on both sides of the goal. The peer of a ratio is the best one of the same round.',
  ratios:
    'To the right of 1× it is faster than the fastest peer of the same round. The dot is the median, the line the range of the rounds, the dashed mark the goal.',
  throughput: 'Medians over the rounds; all bars of a card have one scale. Longer is better.',
  latency:
    'The dot is p50, the ring p99, the end p99.9. Further to the left is better; the axis is logarithmic.',
  cpu: 'User and system time of all processes: the solid part is the server, the light part the client. Shorter is better.',
  memory:
    'All processes of a server with idle clients: the solid part is PSS, where shared pages count once, and with the light part it is RSS.',
};

/** @param {string} sentence */
const words = (sentence) => tag('p', { class: 'soft' }, text(sentence));
/** @param {readonly string[]} lines */
const list = (lines) => tag('ul', {}, ...lines.map((line) => tag('li', {}, text(line))));

/** @param {Results} results */
function legend({ servers }) {
  const items = servers.map(({ name, version }, index) => {
    const swatch = tag('rect', { width: 10, height: 10, class: colour(index) });
    return tag(
      'li',
      {},
      tag('svg', { viewBox: '0 0 10 10', style: 'display:inline-block' }, swatch),
      text(`${name} ${version}`),
    );
  });
  return tag('ul', { class: 'legend' }, ...items);
}
