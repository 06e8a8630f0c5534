/** holdfast ÷ best peer for every load: the median, the range of the rounds, and the goal. */
import { figure, range } from '../figures.js';
import { goals } from '../goals.js';
import { tag, text } from './markup.js';
import { axis, logScale } from './scale.js';
import { colour } from './style.js';

/** @import { Row } from '../types.js' */

const widthPx = 460;
const marginPx = 14;
const linePx = 32;
const topPx = 16;
const steps = [0.25, 0.5, 1, 2, 4, 8, 16];

/**
 * @param {readonly Row[]} rows of one transport
 * @param {string} label
 */
export function ratioPlot(rows, label) {
  const drawn = rows.flatMap((row) => (row.ratio === undefined ? [] : [{ row, ratio: row.ratio }]));
  const values = drawn.flatMap(({ ratio }) => [ratio.min, ratio.max]);
  const [min, max] = [Math.min(0.5, ...values), Math.max(4, ...values)];
  const scale = logScale({ min, max }, { from: marginPx, to: widthPx - marginPx });
  const heightPx = topPx + drawn.length * linePx + 4;
  const ticks = steps
    .filter((at) => at >= min && at <= max)
    .map((at) => ({ at, shown: `${at}×`, class: at === 1 ? 'one' : 'rule' }));
  const lines = drawn.map(({ row, ratio }, i) => {
    const y = topPx + i * linePx;
    const goal = goals.find((one) => one.of === 'speed' && one.covers(row.load))?.limit[row.transport];
    const words = `${row.load.name}: ${figure(ratio.median, 2)} (${range(ratio)})`;
    const isInside = goal !== undefined && goal >= min && goal <= max;
    return tag(
      'g',
      { class: colour(0) },
      tag('text', { x: marginPx, y: y + 12 }, text(words)),
      tag('line', {
        x1: scale(ratio.min),
        x2: scale(ratio.max),
        y1: y + 22,
        y2: y + 22,
        'stroke-width': 3,
        class: 'light',
      }),
      tag('circle', { cx: scale(ratio.median), cy: y + 22, r: 4.5 }),
      ...(isInside
        ? [tag('line', { x1: scale(goal), x2: scale(goal), y1: y + 15, y2: y + 29, class: 'goal' })]
        : []),
    );
  });
  const frame = { viewBox: `0 0 ${widthPx} ${heightPx}`, role: 'img', 'aria-label': label };
  return tag('svg', frame, ...axis(ticks, scale, heightPx), ...lines);
}
