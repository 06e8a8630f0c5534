import { expect, test } from 'vitest';
import { parseBytes } from './parse-bytes.js';

test.each([
  ['0', 0n],
  ['4096', 4096n],
  ['64K', 65_536n],
  ['1MiB', 1_048_576n],
  ['10G', 10_737_418_240n],
  ['2T', 2n ** 41n],
  ['8P', 2n ** 53n],
])('%s is %i bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each(['', 'K', '-1', '1.5G', '1k', '1KB', '1iB', ' 1', '0x10', '1'.repeat(20)])(
  '%j is refused',
  (text) => {
    expect(() => parseBytes(text)).toThrow('a number of bytes');
  },
);
