import { expect, test } from 'vitest';
import { transferPieces } from './transfer-pieces.js';

test.each([
  ['fits', 0, 4096, 65_536, 512, [[0, 4096]]],
  ['fits exactly', 512, 4096, 4096, 512, [[512, 4096]]],
  [
    'is one byte longer',
    0,
    4097,
    4096,
    1,
    [
      [0, 4096],
      [4096, 1],
    ],
  ],
  [
    'meets a maximum that is no multiple of the block size',
    1024,
    2048,
    1500,
    512,
    [
      [1024, 1024],
      [2048, 1024],
    ],
  ],
  ['is empty', 4096, 0, 4096, 512, []],
])('T5 a range that %s is split so', (_what, offset, length, maximum, blockSize, expected) => {
  const pieces = transferPieces(offset, length, maximum, blockSize);
  expect(pieces.map((piece) => [piece.offset, piece.length])).toEqual(expected);
});

test('T5 pieces cover the range, are whole blocks, and none is too long', () => {
  for (const blockSize of [1, 512, 4096]) {
    for (const maximum of [4096, 5000, 65_535]) {
      for (const blocks of [1, 7, 100]) {
        const pieces = transferPieces(3 * blockSize, blocks * blockSize, maximum, blockSize);
        let at = 3 * blockSize;
        for (const { offset, length } of pieces) {
          expect(offset).toBe(at);
          expect(length).toBeLessThanOrEqual(maximum);
          expect(length % blockSize).toBe(0);
          at += length;
        }
        expect(at).toBe((3 + blocks) * blockSize);
      }
    }
  }
});
