import { Buffer } from 'node:buffer';
import { IHAVEOPT } from '../constants/magic.js';
import { bufferOver } from './buffer-over.js';

/*
 * Option (section "Newstyle negotiation")
 *   C: 64 bits, IHAVEOPT
 *   C: 32 bits, option
 *   C: 32 bits, length of option data (unsigned)
 *   C: any data needed for the chosen option
 */
export const OPTION_HEADER_BYTES = 16;

export interface OptionHeader {
  readonly option: number;
  readonly lengthBytes: number;
}

/** One whole option, header and data. */
export function encodeOption(option: number, data: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = Buffer.alloc(OPTION_HEADER_BYTES + data.length);
  bytes.writeBigUInt64BE(IHAVEOPT, 0);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(data.length, 12);
  bytes.set(data, OPTION_HEADER_BYTES);
  return bytes;
}

/** Reads an option header from the front of a stream. Its length is not to be trusted. */
export function parseOptionHeader(stream: Uint8Array): OptionHeader | 'incomplete' | 'bad-magic' {
  if (stream.length < OPTION_HEADER_BYTES) return 'incomplete';
  const bytes = bufferOver(stream);
  if (bytes.readBigUInt64BE(0) !== IHAVEOPT) return 'bad-magic';
  return { option: bytes.readUInt32BE(8), lengthBytes: bytes.readUInt32BE(12) };
}
