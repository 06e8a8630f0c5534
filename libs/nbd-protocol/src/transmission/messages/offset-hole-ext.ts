import { bufferOver } from '../../handshake/buffer-over.js';
import type { OffsetHole } from './offset-hole.js';
import { setUint64 } from './uint64.js';

/*
 * Payload of NBD_REPLY_TYPE_OFFSET_HOLE_EXT (section "Structured reply types"); with extended headers only
 *   S: 64 bits, offset (unsigned)
 *   S: 64 bits, hole size (unsigned, MUST be nonzero)
 *
 * This server has no use for it, since it serves no READ beyond the maximum payload; a client "MUST be prepared".
 */
export const OFFSET_HOLE_EXT_BYTES = 16;

/** Writes a payload at `at`. */
export function encodeOffsetHoleExt(view: DataView, at: number, offset: number, holeSize: number): void {
  setUint64(view, at, offset);
  setUint64(view, at + 8, holeSize);
}

export function parseOffsetHoleExt(payload: Uint8Array): OffsetHole | 'malformed' {
  if (payload.length !== OFFSET_HOLE_EXT_BYTES) return 'malformed';
  const bytes = bufferOver(payload);
  const holeSize = bytes.readBigUInt64BE(8);
  return holeSize === 0n ? 'malformed' : { offset: bytes.readBigUInt64BE(0), holeSize };
}
