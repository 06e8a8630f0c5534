/** Bars that lie: a name, a length, a figure. What is drawn is wide enough for a phone. */
import { tag, text } from './markup.js';
import { colour } from './style.js';

const widthPx = 320;
const nameWidthPx = 112;
const valueWidthPx = 76;
const barPx = 12;
const linePx = 18;
const titlePx = 18;
const barWidthPx = widthPx - nameWidthPx - valueWidthPx;

/**
 * One bar: the first part is solid, what follows is lighter.
 * @typedef {{ name: string, index: number, parts: number[], shown: string }} Bar
 * @typedef {{ title: string, bars: Bar[] }} BarGroup
 */

/**
 * All groups on one scale, from zero.
 * @param {string} label for those who hear the page
 * @param {readonly BarGroup[]} groups
 */
export function barPlot(label, groups) {
  const total = (/** @type {Bar} */ { parts }) => parts.reduce((sum, part) => sum + part, 0);
  const longest = Math.max(...groups.flatMap(({ bars }) => bars.map(total)), Number.MIN_VALUE);
  let y = 0;
  const drawn = groups.flatMap(({ title, bars }) => {
    const head = tag('text', { x: 0, y: y + 12, class: 'soft' }, text(title));
    y += titlePx;
    const lines = bars.map((bar) => {
      const line = drawBar(bar, y, longest);
      y += linePx;
      return line;
    });
    return [head, ...lines];
  });
  return tag('svg', { viewBox: `0 0 ${widthPx} ${y}`, role: 'img', 'aria-label': label }, ...drawn);
}

/**
 * @param {Bar} bar
 * @param {number} y
 * @param {number} longest
 */
function drawBar({ name, index, parts, shown }, y, longest) {
  let x = nameWidthPx;
  const rects = parts.map((part, i) => {
    const width = (part / longest) * barWidthPx;
    const rect = { x: round(x), y: y + 2, width: round(width), height: barPx, 'stroke-width': 0 };
    x += width;
    return tag('rect', { ...rect, class: `${colour(index)}${i > 0 ? ' light' : ''}` });
  });
  return tag(
    'g',
    {},
    tag('text', { x: 0, y: y + 12 }, text(name)),
    ...rects,
    tag('text', { x: round(x + 4), y: y + 12 }, text(shown)),
  );
}

/** @param {number} value */
export const round = (value) => Math.round(value * 10) / 10;
