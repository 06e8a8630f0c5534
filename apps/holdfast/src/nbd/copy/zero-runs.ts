import { Buffer } from 'node:buffer';

/** A part of a buffer. */
export interface Run {
  readonly start: number;
  readonly length: number;
  readonly isZero: boolean;
}

/** Splits a buffer into runs of whole grains that are nothing but zeroes, and runs of the others. */
export function* zeroRuns(data: Buffer, grain: number): Generator<Run, undefined> {
  let start = 0;
  let isZero: boolean | undefined;
  for (let at = 0; at < data.length; at += grain) {
    const isThisZero = isAllZero(data.subarray(at, at + grain));
    if (isZero !== undefined && isZero !== isThisZero) {
      yield { start, length: at - start, isZero };
      start = at;
    }
    isZero = isThisZero;
  }
  if (isZero !== undefined) yield { start, length: data.length - start, isZero };
}

const zeroes = Buffer.alloc(64 * 1024);

/** By memcmp(3), which is faster than a loop here. A look at the first byte settles most. */
function isAllZero(part: Buffer): boolean {
  if (part[0] !== 0) return false;
  for (let at = 0; at < part.length; at += zeroes.length) {
    const length = Math.min(zeroes.length, part.length - at);
    if (part.compare(zeroes, 0, length, at, at + length) !== 0) return false;
  }
  return true;
}
