import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';

const SHOWN = 16;

/** Compares long runs of bytes, which a matcher takes minutes for; tells where they first differ. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length, 'the number of bytes');
  if (Buffer.compare(actual, expected) === 0) return;
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  const around = (bytes: Uint8Array) => Buffer.from(bytes.subarray(at, at + SHOWN)).toString('hex');
  assert.equal(`${around(actual)} at ${String(at)}`, `${around(expected)} at ${String(at)}`);
}
