import { expect } from 'vitest';

/** Compares long runs of bytes, which an assertion on whole buffers takes minutes for; tells where they first differ. */
export function expectBytes(actual: Buffer, expected: Buffer): void {
  expect(actual.length).toBe(expected.length);
  if (actual.equals(expected)) return;
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  const around = (bytes: Buffer) => bytes.subarray(at, at + 16).toString('hex');
  expect(`${around(actual)} at ${String(at)}`).toBe(`${around(expected)} at ${String(at)}`);
}

export function expectZeroes(actual: Buffer): void {
  expectBytes(actual, Buffer.alloc(actual.length));
}
