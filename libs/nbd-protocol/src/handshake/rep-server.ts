import { Buffer } from 'node:buffer';
import { bufferOver } from './buffer-over.js';
import type { ExportListing } from './handshake-request.js';
import { encodeName, encodeText, parseString } from './string.js';

/*
 * Data of NBD_REP_SERVER (section "Option reply types")
 *   S: 32 bits, length of name (unsigned)
 *   S: name of the export
 *   S: the rest, a description for a human
 */
const NAME_OFFSET = 4;

export function encodeRepServer({ name, description }: ExportListing): Uint8Array {
  const nameBytes = encodeName(name);
  const nameLength = Buffer.alloc(NAME_OFFSET);
  nameLength.writeUInt32BE(nameBytes.length);
  return Buffer.concat([nameLength, nameBytes, encodeText(description)]);
}

export function parseRepServer(data: Uint8Array): ExportListing | 'malformed' {
  if (data.length < NAME_OFFSET) return 'malformed';
  const nameEnd = NAME_OFFSET + bufferOver(data).readUInt32BE(0);
  if (nameEnd > data.length) return 'malformed';
  const name = parseString(data.subarray(NAME_OFFSET, nameEnd));
  const description = parseString(data.subarray(nameEnd));
  return name === undefined || description === undefined ? 'malformed' : { name, description };
}
