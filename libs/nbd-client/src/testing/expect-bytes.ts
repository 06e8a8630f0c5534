import { Buffer } from 'node:buffer';
import { expect } from 'vitest';

const SHOWN = 16;

/** Compares long runs of bytes, which a matcher takes minutes for; tells where they first differ. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length);
  if (Buffer.compare(actual, expected) === 0) return;
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  const around = (bytes: Uint8Array) => Buffer.from(bytes.subarray(at, at + SHOWN)).toString('hex');
  expect(`${around(actual)} at ${String(at)}`).toBe(`${around(expected)} at ${String(at)}`);
}
