import { expect, test } from 'vitest';
import { alignedPiece } from './piece.js';

test('what fits is one piece', () => {
  expect(alignedPiece(100, 5000, 5000)).toBe(5000);
  expect(alignedPiece(100, 1, 64)).toBe(1);
});

test('what does not fit is split at a page of the export', () => {
  expect(alignedPiece(0, 100_000, 9000)).toBe(8192);
  expect(alignedPiece(1000, 100_000, 9000)).toBe(7192);
  expect(alignedPiece(2 ** 40 + 1000, 100_000, 9000)).toBe(7192);
  expect(alignedPiece(4096, 100_000, 8192)).toBe(8192);
});

test('a piece that reaches no page takes what there is', () => {
  expect(alignedPiece(0, 100_000, 4095)).toBe(4095);
  expect(alignedPiece(4095, 100_000, 1)).toBe(1);
  expect(alignedPiece(1, 100_000, 64)).toBe(64);
});
