import { Buffer } from 'node:buffer';
import { STRING_BYTES_MAX } from '../limits.js';
import { bufferOver } from './buffer-over.js';
import { invalid, tooBig, type MalformedOption } from './malformed-option.js';
import { encodeName, parseString } from './string.js';

/*
 * Data of NBD_OPT_INFO and NBD_OPT_GO (section "Option types")
 *   C: 32 bits, length of name (unsigned)
 *   C: name of the export
 *   C: 16 bits, number of information requests
 *   C: 16 bits x n, information requests
 */
const NAME_OFFSET = 4;
const COUNT_BYTES = 2;
const INFO_TYPE_BYTES = 2;

export interface InfoRequest {
  readonly exportName: string;
  /** Requests that this server does not know are among them, and are ignored. */
  readonly infoTypes: ReadonlySet<number>;
}

export function encodeInfoRequest({ exportName, infoTypes }: InfoRequest): Uint8Array {
  const name = encodeName(exportName);
  const bytes = Buffer.alloc(NAME_OFFSET + name.length + COUNT_BYTES + INFO_TYPE_BYTES * infoTypes.size);
  bytes.writeUInt32BE(name.length, 0);
  bytes.set(name, NAME_OFFSET);
  let at = bytes.writeUInt16BE(infoTypes.size, NAME_OFFSET + name.length);
  for (const infoType of infoTypes) at = bytes.writeUInt16BE(infoType, at);
  return bytes;
}

/** Reads the whole data of an INFO or GO. Lengths within it are checked before they are used (N5). */
export function parseInfoRequest(data: Uint8Array): InfoRequest | MalformedOption {
  const bytes = bufferOver(data);
  if (bytes.length < NAME_OFFSET + COUNT_BYTES) return invalid('the option is too short');

  const nameLength = bytes.readUInt32BE(0);
  if (nameLength > bytes.length - NAME_OFFSET - COUNT_BYTES) return invalid('the name exceeds the option');
  if (nameLength > STRING_BYTES_MAX) return tooBig('the name is longer than 4096 bytes');
  const nameEnd = NAME_OFFSET + nameLength;
  const requests = bytes.subarray(nameEnd + COUNT_BYTES);
  if (requests.length !== INFO_TYPE_BYTES * bytes.readUInt16BE(nameEnd)) {
    return invalid('the number of information requests does not match the option');
  }
  const exportName = parseString(bytes.subarray(NAME_OFFSET, nameEnd));
  if (exportName === undefined) return invalid('the name is not UTF-8 without NUL');

  const infoTypes = new Set<number>();
  for (let at = 0; at < requests.length; at += INFO_TYPE_BYTES) infoTypes.add(requests.readUInt16BE(at));
  return { exportName, infoTypes };
}
