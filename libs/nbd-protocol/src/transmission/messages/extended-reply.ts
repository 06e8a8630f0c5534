import { EXTENDED_REPLY_MAGIC } from '../../constants/magic.js';
import type { ChunkHeader } from './chunk-header.js';
import { getUint64, setUint64 } from './uint64.js';

/*
 * Extended reply chunk (section "Extended reply chunk message")
 *   S: 32 bits, NBD_EXTENDED_REPLY_MAGIC
 *   S: 16 bits, reply flags
 *   S: 16 bits, type
 *   S: 64 bits, cookie
 *   S: 64 bits, offset (that of the request)
 *   S: 64 bits, length of payload (unsigned)
 *   S: (length bytes of payload)
 */
export const EXTENDED_REPLY_BYTES = 32;

/** @returns false if no extended reply chunk begins at `at`; `header` is then as it was */
export function parseExtendedReply(view: DataView, at: number, header: ChunkHeader): boolean {
  if (view.getUint32(at) !== EXTENDED_REPLY_MAGIC) return false;
  header.flags = view.getUint16(at + 4);
  header.type = view.getUint16(at + 6);
  header.cookieHigh = view.getInt32(at + 8);
  header.cookieLow = view.getInt32(at + 12);
  header.offset = getUint64(view, at + 16);
  header.length = getUint64(view, at + 24);
  return true;
}

/**
 * Writes a header at `at`. The offset comes in two signed halves, since it echoes the request's bit for bit, even one
 * beyond every export (T12).
 */
export function encodeExtendedReply(
  view: DataView,
  at: number,
  flags: number,
  type: number,
  cookieHigh: number,
  cookieLow: number,
  offsetHigh: number,
  offsetLow: number,
  length: number,
): void {
  view.setUint32(at, EXTENDED_REPLY_MAGIC);
  view.setUint16(at + 4, flags);
  view.setUint16(at + 6, type);
  view.setInt32(at + 8, cookieHigh);
  view.setInt32(at + 12, cookieLow);
  view.setInt32(at + 16, offsetHigh);
  view.setInt32(at + 20, offsetLow);
  setUint64(view, at + 24, length);
}
