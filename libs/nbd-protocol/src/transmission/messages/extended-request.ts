import { EXTENDED_REQUEST_MAGIC } from '../../constants/magic.js';
import type { RequestFields, RequestHeader } from './request.js';
import { getUint64, setUint64 } from './uint64.js';

/*
 * Extended request (section "Request message")
 *   C: 32 bits, NBD_EXTENDED_REQUEST_MAGIC
 *   C: 16 bits, command flags
 *   C: 16 bits, type
 *   C: 64 bits, cookie
 *   C: 64 bits, offset (unsigned)
 *   C: 64 bits, payload/effect length (unsigned)
 *   C: (length bytes of data if flags includes NBD_CMD_FLAG_PAYLOAD_LEN)
 */
export const EXTENDED_REQUEST_BYTES = 32;

/**
 * Reads the header that begins at `at` into `header`.
 *
 * @returns false if no extended request begins there; `header` is then as it was
 */
export function parseExtendedRequest(view: DataView, at: number, header: RequestHeader): boolean {
  if (view.getUint32(at) !== EXTENDED_REQUEST_MAGIC) return false;
  header.flags = view.getUint16(at + 4);
  header.type = view.getUint16(at + 6);
  header.cookieHigh = view.getInt32(at + 8);
  header.cookieLow = view.getInt32(at + 12);
  header.offset = getUint64(view, at + 16);
  header.offsetHigh = view.getInt32(at + 16);
  header.offsetLow = view.getInt32(at + 20);
  header.length = getUint64(view, at + 24);
  return true;
}

/** Writes a header at `at`. Its offset and length must be exact. */
export function encodeExtendedRequest(view: DataView, at: number, header: RequestFields): void {
  view.setUint32(at, EXTENDED_REQUEST_MAGIC);
  view.setUint16(at + 4, header.flags);
  view.setUint16(at + 6, header.type);
  view.setInt32(at + 8, header.cookieHigh);
  view.setInt32(at + 12, header.cookieLow);
  setUint64(view, at + 16, header.offset);
  setUint64(view, at + 24, header.length);
}
