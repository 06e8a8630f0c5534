import { Buffer } from 'node:buffer';
import { bufferOver } from '../../handshake/buffer-over.js';
import { encodeErrorChunk, parseErrorStart, type ErrorChunk } from './error-chunk.js';

/*
 * Payload of NBD_REPLY_TYPE_ERROR_OFFSET (section "Structured reply types")
 *   S: 32 bits, error (MUST be nonzero)
 *   S: 16 bits, message length
 *   S: (message length bytes) text for a human
 *   S: 64 bits, offset (unsigned)
 */
const OFFSET_BYTES = 8;

export interface ErrorOffsetChunk extends ErrorChunk {
  /** Where on the export the error is, bytes. */
  readonly offset: bigint;
}

export function encodeErrorOffsetChunk({ error, message, offset }: ErrorOffsetChunk): Uint8Array {
  const offsetBytes = Buffer.alloc(OFFSET_BYTES);
  offsetBytes.writeBigUInt64BE(offset);
  return Buffer.concat([encodeErrorChunk({ error, message }), offsetBytes]);
}

export function parseErrorOffsetChunk(payload: Uint8Array): ErrorOffsetChunk | 'malformed' {
  const start = parseErrorStart(payload);
  if (start === 'malformed' || start.end + OFFSET_BYTES !== payload.length) return 'malformed';
  const { error, message, end } = start;
  return { error, message, offset: bufferOver(payload).readBigUInt64BE(end) };
}
