/** The header of one reply chunk, structured or extended: a record that is filled again and again. */
export class ChunkHeader {
  /** Union of `ReplyFlag`. */
  flags = 0;
  /** A `ChunkType`, or one that this side does not know. */
  type = 0;
  /** The request's cookie, in two signed halves. */
  cookieHigh = 0;
  cookieLow = 0;
  /** Extended: the request's offset, bytes; exact up to 2^53−1. Structured: 0, it is not on the wire. */
  offset = 0;
  /** Bytes of payload that follow. Structured: up to 2^32−1; extended: exact up to 2^53−1. */
  length = 0;
}
