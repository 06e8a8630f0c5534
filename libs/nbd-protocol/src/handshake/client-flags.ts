import { Buffer } from 'node:buffer';
import { bufferOver } from './buffer-over.js';

/*
 * Client flags (section "Newstyle negotiation")
 *   C: 32 bits, client flags
 */
export const CLIENT_FLAGS_BYTES = 4;

export interface ClientFlags {
  /** Union of `ClientFlag`. */
  readonly clientFlags: number;
}

export function encodeClientFlags({ clientFlags }: ClientFlags): Uint8Array {
  const bytes = Buffer.alloc(CLIENT_FLAGS_BYTES);
  bytes.writeUInt32BE(clientFlags, 0);
  return bytes;
}

/** Reads the client flags from the front of a stream. Which bits are legal is for the server to say (N2). */
export function parseClientFlags(stream: Uint8Array): ClientFlags | 'incomplete' {
  if (stream.length < CLIENT_FLAGS_BYTES) return 'incomplete';
  return { clientFlags: bufferOver(stream).readUInt32BE(0) };
}
