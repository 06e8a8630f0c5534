import { bufferOver } from '../../handshake/buffer-over.js';
import { setUint64 } from './uint64.js';

/*
 * Payload of NBD_REPLY_TYPE_BLOCK_STATUS_EXT (section "Structured reply types"); with extended headers only
 *   S: 32 bits, metadata context ID
 *   S: 32 bits, descriptor count; 0: as many as the length says
 *   and once or more
 *   S: 64 bits, length of the extent (unsigned, MUST be nonzero)
 *   S: 64 bits, status flags
 */
export const BLOCK_STATUS_EXT_START_BYTES = 8;
export const BLOCK_STATUS_EXT_DESCRIPTOR_BYTES = 16;

export interface BlockStatusExt {
  readonly contextId: number;
  /** Length in bytes and flags of one extent after the other. */
  readonly descriptors: BigUint64Array;
}

/** Writes at `at` what comes before the descriptors. */
export function encodeBlockStatusExtStart(
  view: DataView,
  at: number,
  contextId: number,
  count: number,
): void {
  view.setUint32(at, contextId);
  view.setUint32(at + 4, count);
}

/** Writes one descriptor at `at`; its flags come in two halves of 32 bits. */
export function encodeBlockStatusExtDescriptor(
  view: DataView,
  at: number,
  length: number,
  flagsHigh: number,
  flagsLow: number,
): void {
  setUint64(view, at, length);
  view.setUint32(at + 8, flagsHigh);
  view.setUint32(at + 12, flagsLow);
}

/** @returns how many extents a chunk of this length carries: to be asked before memory is taken for it (B6) */
export function countBlockStatusExtExtents(chunkLength: number): number | 'malformed' {
  const count = (chunkLength - BLOCK_STATUS_EXT_START_BYTES) / BLOCK_STATUS_EXT_DESCRIPTOR_BYTES;
  return Number.isInteger(count) && count >= 1 ? count : 'malformed';
}

/** Reads a whole payload into an array of its own (B2). */
export function parseBlockStatusExt(payload: Uint8Array): BlockStatusExt | 'malformed' {
  const count = countBlockStatusExtExtents(payload.length);
  if (count === 'malformed') return 'malformed';
  const bytes = bufferOver(payload);
  const announced = bytes.readUInt32BE(4);
  if (announced !== 0 && announced !== count) return 'malformed';
  const descriptors = new BigUint64Array(2 * count);
  for (let at = BLOCK_STATUS_EXT_START_BYTES, index = 0; at < bytes.length; at += 8, index += 1) {
    descriptors[index] = bytes.readBigUInt64BE(at);
  }
  for (let index = 0; index < descriptors.length; index += 2) {
    if (descriptors[index] === 0n) return 'malformed';
  }
  return { contextId: bytes.readUInt32BE(0), descriptors };
}
