import { Buffer } from 'node:buffer';
import { assert } from '@holdfast/foundation';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import { bufferOver } from './buffer-over.js';
import type { InfoExport } from './info-export.js';

/*
 * Answer to NBD_OPT_EXPORT_NAME (section "Newstyle negotiation"), the one without an option reply header
 *   S: 64 bits, size of the export in bytes (unsigned)
 *   S: 16 bits, transmission flags
 *   S: 124 bytes, zeroes (unless C_NO_ZEROES)
 */
const FACTS_BYTES = 10;
const ZEROES_BYTES = 124;

/** How many bytes the whole answer has. */
export function exportNameReplyBytes(noZeroes: boolean): number {
  return noZeroes ? FACTS_BYTES : FACTS_BYTES + ZEROES_BYTES;
}

export function encodeExportNameReply(facts: InfoExport, noZeroes: boolean): Uint8Array {
  assert(
    facts.sizeBytes >= 0n && facts.sizeBytes < 1n << 64n,
    'the size of an export is unsigned and has 64 bits',
  );
  const bytes = Buffer.alloc(exportNameReplyBytes(noZeroes));
  bytes.writeBigUInt64BE(facts.sizeBytes, 0);
  bytes.writeUInt16BE(facts.transmissionFlags | TransmissionFlag.HAS_FLAGS, 8);
  return bytes;
}

/** Reads the answer from the front of a stream. What the zeroes are is nobody's business: they are reserved. */
export function parseExportNameReply(stream: Uint8Array, noZeroes: boolean): InfoExport | 'incomplete' {
  if (stream.length < exportNameReplyBytes(noZeroes)) return 'incomplete';
  const bytes = bufferOver(stream);
  return { sizeBytes: bytes.readBigUInt64BE(0), transmissionFlags: bytes.readUInt16BE(8) };
}
