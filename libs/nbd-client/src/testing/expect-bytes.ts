import { Buffer } from 'node:buffer';
import { expect } from 'vitest';

/** Compares bytes fast, and by the slow matcher only to say where they differ. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) !== 0) expect([...actual]).toEqual([...expected]);
}
