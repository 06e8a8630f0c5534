import { expect, it } from 'vitest';
import { humanSize } from './human-size.js';

it.each([
  [0n, '0'],
  [1000n, '1000'],
  [1024n, '1K'],
  [1025n * 1024n, '1025K'],
  [1024n ** 6n * 4n, '4E'],
  [1024n ** 7n, '1024E'],
])('%i is %s, and no digit is lost', (bytes, text) => {
  expect(humanSize(bytes)).toBe(text);
});
