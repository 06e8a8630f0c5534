import { expect, test } from 'vitest';
import { counted } from './counted.js';

test.each([
  [0, '0 devices'],
  [1, '1 device'],
  [1n, '1 device'],
  [2, '2 devices'],
  [11n, '11 devices'],
])('%d is said as %s', (count, said) => {
  expect(counted(count, 'device')).toBe(said);
});
