import { bufferOver } from '../../handshake/buffer-over.js';

/*
 * Payload of NBD_REPLY_TYPE_BLOCK_STATUS (section "Structured reply types")
 *   S: 32 bits, metadata context ID
 *   and once or more
 *   S: 32 bits, length of the extent (unsigned, MUST be nonzero)
 *   S: 32 bits, status flags
 */
export const BLOCK_STATUS_START_BYTES = 4;
export const BLOCK_STATUS_DESCRIPTOR_BYTES = 8;

export interface BlockStatus {
  readonly contextId: number;
  /** Length in bytes and flags of one extent after the other. */
  readonly descriptors: Uint32Array;
}

/** Writes at `at` what comes before the descriptors. */
export function encodeBlockStatusStart(view: DataView, at: number, contextId: number): void {
  view.setUint32(at, contextId);
}

/** Writes one descriptor at `at`. */
export function encodeBlockStatusDescriptor(view: DataView, at: number, length: number, flags: number): void {
  view.setUint32(at, length);
  view.setUint32(at + 4, flags);
}

/** @returns how many extents a chunk of this length carries: to be asked before memory is taken for it (B6) */
export function countBlockStatusExtents(chunkLength: number): number | 'malformed' {
  const count = (chunkLength - BLOCK_STATUS_START_BYTES) / BLOCK_STATUS_DESCRIPTOR_BYTES;
  return Number.isInteger(count) && count >= 1 ? count : 'malformed';
}

/** Reads a whole payload into an array of its own (B2). */
export function parseBlockStatus(payload: Uint8Array): BlockStatus | 'malformed' {
  const count = countBlockStatusExtents(payload.length);
  if (count === 'malformed') return 'malformed';
  const bytes = bufferOver(payload);
  const descriptors = new Uint32Array(2 * count);
  for (let at = BLOCK_STATUS_START_BYTES, index = 0; at < bytes.length; at += 4, index += 1) {
    descriptors[index] = bytes.readUInt32BE(at);
  }
  for (let index = 0; index < descriptors.length; index += 2) {
    if (descriptors[index] === 0) return 'malformed';
  }
  return { contextId: bytes.readUInt32BE(0), descriptors };
}
