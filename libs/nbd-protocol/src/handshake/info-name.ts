import { Buffer } from 'node:buffer';
import { InfoType } from '../constants/info-types.js';
import { bufferOver } from './buffer-over.js';
import { encodeName, parseString } from './string.js';

/*
 * Data of NBD_REP_INFO, NBD_INFO_NAME (section "Option reply types")
 *   S: 16 bits, NBD_INFO_NAME
 *   S: the server's canonical name of the export
 */
const NAME_OFFSET = 2;

export interface InfoName {
  readonly name: string;
}

export function encodeInfoName({ name }: InfoName): Uint8Array {
  const type = Buffer.alloc(NAME_OFFSET);
  type.writeUInt16BE(InfoType.NAME);
  return Buffer.concat([type, encodeName(name)]);
}

export function parseInfoName(data: Uint8Array): InfoName | 'malformed' {
  if (data.length < NAME_OFFSET || bufferOver(data).readUInt16BE(0) !== InfoType.NAME) return 'malformed';
  const name = parseString(data.subarray(NAME_OFFSET));
  return name === undefined ? 'malformed' : { name };
}
