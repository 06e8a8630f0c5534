import { bufferOver } from '../../handshake/buffer-over.js';
import { setUint64 } from './uint64.js';

/*
 * Payload of NBD_REPLY_TYPE_OFFSET_DATA (section "Structured reply types"); at least 9 bytes
 *   S: 64 bits, offset (unsigned)
 *   S: (the rest) data
 */

/** What comes before the data. */
export const OFFSET_DATA_START_BYTES = 8;

export interface OffsetData {
  /** Where on the export the data lies, bytes. */
  readonly offset: bigint;
  readonly data: Uint8Array;
}

/** Writes at `at` what comes before the data. */
export function encodeOffsetDataStart(view: DataView, at: number, offset: number): void {
  setUint64(view, at, offset);
}

/** Reads what comes before the data of a chunk of `chunkLength` bytes; for those who receive the data elsewhere. */
export function parseOffsetDataStart(
  start: Uint8Array,
  chunkLength: number,
): { readonly offset: bigint; readonly dataLength: number } | 'incomplete' | 'malformed' {
  if (chunkLength <= OFFSET_DATA_START_BYTES) return 'malformed';
  if (start.length < OFFSET_DATA_START_BYTES) return 'incomplete';
  return { offset: bufferOver(start).readBigUInt64BE(0), dataLength: chunkLength - OFFSET_DATA_START_BYTES };
}

/** Reads a whole payload; the data is copied. */
export function parseOffsetData(payload: Uint8Array): OffsetData | 'malformed' {
  if (payload.length <= OFFSET_DATA_START_BYTES) return 'malformed';
  return {
    offset: bufferOver(payload).readBigUInt64BE(0),
    data: Uint8Array.from(payload.subarray(OFFSET_DATA_START_BYTES)),
  };
}
