import { SIMPLE_REPLY_MAGIC } from '../../constants/magic.js';

/*
 * Simple reply (section "Simple reply message")
 *   S: 32 bits, NBD_SIMPLE_REPLY_MAGIC
 *   S: 32 bits, error (MAY be zero)
 *   S: 64 bits, cookie
 *   S: (length bytes of data if the request is of type READ and error is zero)
 */
export const SIMPLE_REPLY_BYTES = 16;

/** The header of one simple reply; filled again and again. */
export class SimpleReplyHeader {
  /** An `NbdError`, or 0. */
  error = 0;
  /** The request's cookie, in two signed halves. */
  cookieHigh = 0;
  cookieLow = 0;
}

/** @returns false if no simple reply begins at `at`; `header` is then as it was */
export function parseSimpleReply(view: DataView, at: number, header: SimpleReplyHeader): boolean {
  if (view.getUint32(at) !== SIMPLE_REPLY_MAGIC) return false;
  header.error = view.getUint32(at + 4);
  header.cookieHigh = view.getInt32(at + 8);
  header.cookieLow = view.getInt32(at + 12);
  return true;
}

/** Writes a header at `at`. Fields rather than a record: this runs once per request. */
export function encodeSimpleReply(
  view: DataView,
  at: number,
  error: number,
  cookieHigh: number,
  cookieLow: number,
): void {
  view.setUint32(at, SIMPLE_REPLY_MAGIC);
  view.setUint32(at + 4, error);
  view.setInt32(at + 8, cookieHigh);
  view.setInt32(at + 12, cookieLow);
}
