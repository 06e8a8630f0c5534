/** Latency of one load: from p50 (filled) over p99 (hollow) to p99.9 (a bar at the end), on a logarithmic axis. */
import { significant } from '../figures.js';
import { tag, text } from './markup.js';
import { axis, logScale } from './scale.js';
import { colour } from './style.js';

/** @import { Medians, Row } from '../types.js' */

const widthPx = 320;
const nameWidthPx = 112;
const rightPx = 12;
const linePx = 18;
const topPx = 16;
const titlePx = 18;

/**
 * @param {readonly Row[]} rows of one load
 * @param {readonly string[]} names
 */
export function latencyPlot(rows, names) {
  const values = rows.flatMap(({ medians }) => Object.values(medians).flatMap(three)).filter((us) => us > 0);
  const limits = {
    min: 10 ** Math.floor(Math.log10(Math.min(...values))),
    max: 10 ** Math.ceil(Math.log10(Math.max(...values))),
  };
  const scale = logScale(limits, { from: nameWidthPx, to: widthPx - rightPx });
  let y = topPx;
  const lines = rows.flatMap(({ transport, medians }) => {
    const head = tag('text', { x: 0, y: y + 12, class: 'soft' }, text(transport));
    y += titlePx;
    const drawn = names.flatMap((name, index) => {
      const own = medians[name];
      if (own === undefined) return [];
      const line = drawOne(name, index, three(own), scale, y);
      y += linePx;
      return [line];
    });
    return [head, ...drawn];
  });
  const frame = {
    viewBox: `0 0 ${widthPx} ${y + 4}`,
    role: 'img',
    'aria-label': `latency of ${rows[0]?.load.name ?? ''}`,
  };
  return tag('svg', frame, ...axis(decades(limits), scale, y), ...lines);
}

/**
 * @param {string} name
 * @param {number} index
 * @param {number[]} latencies
 * @param {(us: number) => number} scale
 * @param {number} y
 */
function drawOne(name, index, latencies, scale, y) {
  const [p50 = 0, p99 = 0, p999 = 0] = latencies.map((us) => scale(Math.max(us, 1e-3)));
  const middle = y + 8;
  return tag(
    'g',
    { class: colour(index) },
    tag('title', {}, text(`${name}: ${latencies.map(significant).join(' / ')} µs`)),
    tag('text', { x: 0, y: y + 12 }, text(name)),
    tag('line', { x1: p50, x2: p999, y1: middle, y2: middle, 'stroke-width': 2 }),
    tag('line', { x1: p999, x2: p999, y1: middle - 5, y2: middle + 5, 'stroke-width': 2 }),
    tag('circle', { cx: p50, cy: middle, r: 4 }),
    tag('circle', { cx: p99, cy: middle, r: 3.5, 'stroke-width': 2, style: 'fill:var(--card)' }),
  );
}

/** @param {Medians} medians */
function three({ latencyUsP50, latencyUsP99, latencyUsP999 }) {
  const known = latencyUsP50 === undefined ? [] : [latencyUsP50, latencyUsP99 ?? latencyUsP50];
  return known.length === 0 ? [] : [...known, latencyUsP999 ?? known[1] ?? 0];
}

/** @param {{ min: number, max: number }} limits */
function decades({ min, max }) {
  const ticks = [];
  for (let at = min; at <= max * 1.0001; at *= 10) ticks.push({ at, shown: shownTime(at) });
  return ticks;
}

/** @param {number} us */
function shownTime(us) {
  if (us >= 1e6) return `${us / 1e6} s`;
  return us >= 1e3 ? `${us / 1e3} ms` : `${Number(us.toPrecision(1))} µs`;
}
