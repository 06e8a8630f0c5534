import { Buffer } from 'node:buffer';
import { InfoType } from '../constants/info-types.js';
import { bufferOver } from './buffer-over.js';
import { encodeText, parseString } from './string.js';

/*
 * Data of NBD_REP_INFO, NBD_INFO_DESCRIPTION (section "Option reply types")
 *   S: 16 bits, NBD_INFO_DESCRIPTION
 *   S: a description for a human
 */
const DESCRIPTION_OFFSET = 2;

export interface InfoDescription {
  readonly description: string;
}

export function encodeInfoDescription({ description }: InfoDescription): Uint8Array {
  const type = Buffer.alloc(DESCRIPTION_OFFSET);
  type.writeUInt16BE(InfoType.DESCRIPTION);
  return Buffer.concat([type, encodeText(description)]);
}

export function parseInfoDescription(data: Uint8Array): InfoDescription | 'malformed' {
  if (data.length < DESCRIPTION_OFFSET || bufferOver(data).readUInt16BE(0) !== InfoType.DESCRIPTION) {
    return 'malformed';
  }
  const description = parseString(data.subarray(DESCRIPTION_OFFSET));
  return description === undefined ? 'malformed' : { description };
}
