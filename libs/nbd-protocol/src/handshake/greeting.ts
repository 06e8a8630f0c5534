import { Buffer } from 'node:buffer';
import { IHAVEOPT, NBDMAGIC } from '../constants/magic.js';
import { bufferOver } from './buffer-over.js';

/*
 * Greeting (section "Newstyle negotiation")
 *   S: 64 bits, NBDMAGIC
 *   S: 64 bits, IHAVEOPT
 *   S: 16 bits, handshake flags
 */
export const GREETING_BYTES = 18;

export interface Greeting {
  /** Union of `HandshakeFlag`. */
  readonly handshakeFlags: number;
}

export function encodeGreeting({ handshakeFlags }: Greeting): Uint8Array {
  const bytes = Buffer.alloc(GREETING_BYTES);
  bytes.writeBigUInt64BE(NBDMAGIC, 0);
  bytes.writeBigUInt64BE(IHAVEOPT, 8);
  bytes.writeUInt16BE(handshakeFlags, 16);
  return bytes;
}

/** Reads the greeting from the front of a stream. */
export function parseGreeting(stream: Uint8Array): Greeting | 'incomplete' | 'bad-magic' {
  if (stream.length < GREETING_BYTES) return 'incomplete';
  const bytes = bufferOver(stream);
  if (bytes.readBigUInt64BE(0) !== NBDMAGIC || bytes.readBigUInt64BE(8) !== IHAVEOPT) return 'bad-magic';
  return { handshakeFlags: bytes.readUInt16BE(16) };
}
