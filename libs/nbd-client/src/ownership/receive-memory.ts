import { Buffer } from 'node:buffer';

/** What a released receive buffer is filled with: no valid magic, length or text has it. */
export const POISON = 0xdb;

/** Lends received bytes to their reader, for the time of one call. */
export type ReceiveMemory = (received: Uint8Array, use: (bytes: Uint8Array) => void) => void;

/** Bytes are read where the stream put them. */
export const receiveInPlace: ReceiveMemory = (received, use) => {
  use(received);
};

/**
 * For tests (A1, A2, A3): bytes are read in a buffer that is used again and again, and poisoned as soon as the reader
 * returns. Whoever kept a view of it instead of a copy sees poison, or the bytes of another reply.
 */
export function receivePoisoned(): ReceiveMemory {
  let memory = Buffer.alloc(0);
  return (received, use) => {
    if (memory.length < received.length) memory = Buffer.allocUnsafeSlow(received.length);
    const lent = memory.subarray(0, received.length);
    lent.set(received);
    try {
      use(lent);
    } finally {
      memory.fill(POISON);
    }
  };
}
