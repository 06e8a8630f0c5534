import { Buffer } from 'node:buffer';
import { bufferOver } from '../../handshake/buffer-over.js';

/*
 * Payload of a BLOCK_STATUS request with NBD_CMD_FLAG_PAYLOAD_LEN (section "Request types"); 8 + 4n bytes
 *   C: 64 bits, effect length
 *   C: 32 bits x n, metadata context IDs to answer
 */
export const BLOCK_STATUS_FILTER_START_BYTES = 8;
export const BLOCK_STATUS_FILTER_ID_BYTES = 4;

export interface BlockStatusFilter {
  /** How much of the export is of interest, bytes. */
  readonly effectLength: bigint;
  /** As they came: whether they are known and distinct is for the server to find out (T12). */
  readonly contextIds: readonly number[];
}

export function encodeBlockStatusFilter({ effectLength, contextIds }: BlockStatusFilter): Uint8Array {
  const bytes = Buffer.alloc(
    BLOCK_STATUS_FILTER_START_BYTES + BLOCK_STATUS_FILTER_ID_BYTES * contextIds.length,
  );
  let at = bytes.writeBigUInt64BE(effectLength, 0);
  for (const contextId of contextIds) at = bytes.writeUInt32BE(contextId, at);
  return bytes;
}

/** Reads a whole payload, whose length the caller has bounded. */
export function parseBlockStatusFilter(payload: Uint8Array): BlockStatusFilter | 'malformed' {
  const count = (payload.length - BLOCK_STATUS_FILTER_START_BYTES) / BLOCK_STATUS_FILTER_ID_BYTES;
  if (!Number.isInteger(count) || count < 0) return 'malformed';
  const bytes = bufferOver(payload);
  const contextIds = Array.from({ length: count }, (_, index) =>
    bytes.readUInt32BE(BLOCK_STATUS_FILTER_START_BYTES + BLOCK_STATUS_FILTER_ID_BYTES * index),
  );
  return { effectLength: bytes.readBigUInt64BE(0), contextIds };
}
