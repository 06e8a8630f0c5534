/** A logarithmic axis: what is twice as much is as far away everywhere. */
import { round } from './bars.js';
import { tag, text } from './markup.js';

/**
 * @param {{ min: number, max: number }} values both above zero
 * @param {{ from: number, to: number }} pixels
 * @returns {(value: number) => number}
 */
export function logScale({ min, max }, { from, to }) {
  const [low, high] = [Math.log(min), Math.log(max)];
  return (value) => round(from + ((Math.log(value) - low) / (high - low || 1)) * (to - from));
}

/**
 * Lines through the plot with a word at the top.
 * @param {readonly { at: number, shown: string, class?: string }[]} ticks
 * @param {(value: number) => number} scale
 * @param {number} heightPx
 */
export function axis(ticks, scale, heightPx) {
  return ticks.flatMap(({ at, shown, class: kind = 'rule' }) => [
    tag('line', { x1: scale(at), x2: scale(at), y1: 14, y2: heightPx, class: kind }),
    tag('text', { x: scale(at), y: 10, class: 'soft', 'text-anchor': 'middle' }, text(shown)),
  ]);
}
