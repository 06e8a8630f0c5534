import { STRUCTURED_REPLY_MAGIC } from '../../constants/magic.js';
import type { ChunkHeader } from './chunk-header.js';

/*
 * Structured reply chunk (section "Structured reply chunk message")
 *   S: 32 bits, NBD_STRUCTURED_REPLY_MAGIC
 *   S: 16 bits, reply flags
 *   S: 16 bits, type
 *   S: 64 bits, cookie
 *   S: 32 bits, length of payload (unsigned)
 *   S: (length bytes of payload)
 */
export const STRUCTURED_REPLY_BYTES = 20;

/** @returns false if no structured reply chunk begins at `at`; `header` is then as it was */
export function parseStructuredReply(view: DataView, at: number, header: ChunkHeader): boolean {
  if (view.getUint32(at) !== STRUCTURED_REPLY_MAGIC) return false;
  header.flags = view.getUint16(at + 4);
  header.type = view.getUint16(at + 6);
  header.cookieHigh = view.getInt32(at + 8);
  header.cookieLow = view.getInt32(at + 12);
  header.offset = 0;
  header.length = view.getUint32(at + 16);
  return true;
}

/** Writes a header at `at`. Fields rather than a record: this runs at least once per request. */
export function encodeStructuredReply(
  view: DataView,
  at: number,
  flags: number,
  type: number,
  cookieHigh: number,
  cookieLow: number,
  length: number,
): void {
  view.setUint32(at, STRUCTURED_REPLY_MAGIC);
  view.setUint16(at + 4, flags);
  view.setUint16(at + 6, type);
  view.setInt32(at + 8, cookieHigh);
  view.setInt32(at + 12, cookieLow);
  view.setUint32(at + 16, length);
}
