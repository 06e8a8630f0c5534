import { Buffer } from 'node:buffer';

/** The same memory as a Buffer, for its big-endian accessors. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
