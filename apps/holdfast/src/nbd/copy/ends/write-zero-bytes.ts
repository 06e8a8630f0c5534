import { Buffer } from 'node:buffer';
import { REQUEST_BYTES } from '../limits.js';
import type { CopyDestination } from './copy-end.js';

/** Writes zeroes as data, for a destination that knows no other way. */
export function writeZeroBytes(
  write: CopyDestination['write'],
  { minimum, payloadMaximum }: { readonly minimum: number; readonly payloadMaximum: number },
): CopyDestination['writeZeroes'] {
  const most = Math.min(REQUEST_BYTES, payloadMaximum);
  const zeroes = Buffer.alloc(most - (most % minimum));
  return async (offset, length, connection) => {
    const end = offset + length;
    for (let from = offset; from < end; from += BigInt(zeroes.length)) {
      const rest = end - from;
      const part = rest < BigInt(zeroes.length) ? zeroes.subarray(0, Number(rest)) : zeroes;
      await write(part, from, connection);
    }
  };
}
