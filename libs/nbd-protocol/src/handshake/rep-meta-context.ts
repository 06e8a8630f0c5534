import { Buffer } from 'node:buffer';
import { bufferOver } from './buffer-over.js';
import type { MetaContext } from './meta-context.js';
import { encodeName, parseString } from './string.js';

/*
 * Data of NBD_REP_META_CONTEXT (section "Option reply types")
 *   S: 32 bits, id of the metadata context; reserved in the answer to LIST_META_CONTEXT
 *   S: name of the metadata context
 */
const NAME_OFFSET = 4;

export function encodeRepMetaContext({ id, name }: MetaContext): Uint8Array {
  const idBytes = Buffer.alloc(NAME_OFFSET);
  idBytes.writeUInt32BE(id);
  return Buffer.concat([idBytes, encodeName(name)]);
}

export function parseRepMetaContext(data: Uint8Array): MetaContext | 'malformed' {
  if (data.length < NAME_OFFSET) return 'malformed';
  const name = parseString(data.subarray(NAME_OFFSET));
  return name === undefined ? 'malformed' : { id: bufferOver(data).readUInt32BE(0), name };
}
