import { bufferOver } from '../../handshake/buffer-over.js';
import { setUint64 } from './uint64.js';

/*
 * Payload of NBD_REPLY_TYPE_OFFSET_HOLE (section "Structured reply types")
 *   S: 64 bits, offset (unsigned)
 *   S: 32 bits, hole size (unsigned, MUST be nonzero)
 */
export const OFFSET_HOLE_BYTES = 12;

export interface OffsetHole {
  /** Where on the export the hole lies, bytes. */
  readonly offset: bigint;
  /** Bytes that read as zeroes. */
  readonly holeSize: bigint;
}

/** Writes a payload at `at`; the hole is up to 2^32−1 bytes. */
export function encodeOffsetHole(view: DataView, at: number, offset: number, holeSize: number): void {
  setUint64(view, at, offset);
  view.setUint32(at + 8, holeSize);
}

export function parseOffsetHole(payload: Uint8Array): OffsetHole | 'malformed' {
  if (payload.length !== OFFSET_HOLE_BYTES) return 'malformed';
  const bytes = bufferOver(payload);
  const holeSize = BigInt(bytes.readUInt32BE(8));
  return holeSize === 0n ? 'malformed' : { offset: bytes.readBigUInt64BE(0), holeSize };
}
