import { REQUEST_MAGIC } from '../../constants/magic.js';
import { getUint64, setUint64 } from './uint64.js';

/*
 * Request (section "Request message")
 *   C: 32 bits, NBD_REQUEST_MAGIC
 *   C: 16 bits, command flags
 *   C: 16 bits, type
 *   C: 64 bits, cookie
 *   C: 64 bits, offset (unsigned)
 *   C: 32 bits, length (unsigned)
 *   C: (length bytes of data if the request is of type WRITE)
 */
export const REQUEST_BYTES = 28;

/** The header of one request, compact or extended: a record that is filled again and again, since none is made per request. */
export class RequestHeader {
  /** Union of `CommandFlag`. */
  flags = 0;
  /** A `Command`, or one that this side does not know. */
  type = 0;
  /** The client's cookie, opaque, in two signed halves: each fits a small integer. */
  cookieHigh = 0;
  cookieLow = 0;
  /** Bytes. Exact up to 2^53−1; beyond, only its being beyond is exact, which is past the end of every export. */
  offset = 0;
  /** Extended: the offset bit for bit, in two signed halves, since the reply echoes it. Compact: not set. */
  offsetHigh = 0;
  offsetLow = 0;
  /** Bytes. Compact: up to 2^32−1; extended: as the offset. */
  length = 0;
}

/** What one writes of a request. */
export type RequestFields = Readonly<Omit<RequestHeader, 'offsetHigh' | 'offsetLow'>>;

/**
 * Reads the header that begins at `at` into `header`.
 *
 * @returns false if no request begins there; `header` is then as it was
 */
export function parseRequest(view: DataView, at: number, header: RequestHeader): boolean {
  if (view.getUint32(at) !== REQUEST_MAGIC) return false;
  header.flags = view.getUint16(at + 4);
  header.type = view.getUint16(at + 6);
  header.cookieHigh = view.getInt32(at + 8);
  header.cookieLow = view.getInt32(at + 12);
  header.offset = getUint64(view, at + 16);
  header.length = view.getUint32(at + 24);
  return true;
}

/** Writes a header at `at`. Its offset must be exact. */
export function encodeRequest(view: DataView, at: number, header: RequestFields): void {
  view.setUint32(at, REQUEST_MAGIC);
  view.setUint16(at + 4, header.flags);
  view.setUint16(at + 6, header.type);
  view.setInt32(at + 8, header.cookieHigh);
  view.setInt32(at + 12, header.cookieLow);
  setUint64(view, at + 16, header.offset);
  view.setUint32(at + 24, header.length);
}
