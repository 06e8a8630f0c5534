import { NativeBuffer } from './native-buffer.js';

/** `struct iovec` (readv(2)): an address and a length, 64 bits each. */
export const IOVEC_BYTES = 16;

const HIGH_WORD = 2 ** 32;

/**
 * Stores an unsigned 64-bit number < 2^53 as two 32-bit halves, which needs no BigInt and so no allocation. Both
 * architectures are little endian.
 */
function store(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true);
  view.setUint32(at + 4, value / HIGH_WORD, true);
}

/** Fills the iovec at byte `at` of `memory` and returns its address. */
export function fillIovec(memory: NativeBuffer, at: number, address: number, length: number): number {
  store(memory.view, at, address);
  store(memory.view, at + 8, length);
  return memory.address + at;
}

/**
 * Native memory of this thread for what blocking calls take by address. A call fills it and is done with it before
 * it returns, so calls on one thread never meet in it.
 */
const iovec = NativeBuffer.allocate(IOVEC_BYTES);
const offset = NativeBuffer.allocate(8);

/** This thread's iovec for a blocking call, filled; its address. */
export function iovecFor(address: number, length: number): number {
  return fillIovec(iovec, 0, address, length);
}

/** An `off_t` that a blocking call takes by address, filled; its address. */
export function offsetCell(value: number): number {
  store(offset.view, 0, value);
  return offset.address;
}
