import { expect, test } from 'vitest';
import { formatAge } from './format-age.js';
import { parseSeconds } from './parse-seconds.js';

const now = new Date(10_000_000_000);
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [119, '119 s'],
  [120, '2 min'],
  [7199, '119 min'],
  [7200, '2 h'],
  [200_000, '2 d'],
])('%i seconds ago is %s', (seconds, text) => {
  expect(formatAge(ago(seconds), now)).toBe(text);
});

test('what is not known has no age', () => {
  expect(formatAge(undefined, now)).toBe('-');
});

test.each([
  ['0', 0],
  ['0.5', 500],
  ['86400', 86_400_000],
])('%s seconds are %i ms', (text, milliseconds) => {
  expect(parseSeconds(text)).toBe(milliseconds);
});

test.each(['', '-1', '1e3', '86401', '5s'])('%j is no number of seconds', (text) => {
  expect(() => parseSeconds(text)).toThrow('a number of seconds');
});
