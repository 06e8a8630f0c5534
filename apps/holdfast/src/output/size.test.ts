import { describe, expect, test } from 'vitest';
import { formatSize, lastSegment } from './size.js';

describe('a size', () => {
  test.each([
    [0n, '0 B'],
    [1000n, '1000 B'],
    [1023n, '1023 B'],
    [1024n, '1 KiB'],
    [1536n, '1.5 KiB'],
    [1024n ** 2n - 1n, '1.0 MiB'],
    [1024n ** 2n, '1 MiB'],
    [1024n ** 3n + 1n, '1.0 GiB'],
    [1024n ** 4n * 5n, '5 TiB'],
    [2n ** 64n - 1n, '16 EiB'],
  ])('of %d bytes is %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

test('the last segment of a name is what people call it', () => {
  expect(lastSegment('devices/vm1/attachments/3')).toBe('3');
  expect(lastSegment('vm1')).toBe('vm1');
});
