import {
  ChunkHeader,
  EXTENDED_REPLY_BYTES,
  parseExtendedReply,
  parseSimpleReply,
  parseStructuredReply,
  SIMPLE_REPLY_BYTES,
  SIMPLE_REPLY_MAGIC,
  SimpleReplyHeader,
  STRUCTURED_REPLY_BYTES,
  STRUCTURED_REPLY_MAGIC,
  type ReplyMode,
} from '@holdfast/nbd-protocol';
import { NbdProtocolError } from '../errors/protocol-error.js';

/** A header as it came, whichever kind it was. */
export type ReplyHeader =
  | { readonly kind: 'simple'; readonly header: Readonly<SimpleReplyHeader> }
  | { readonly kind: 'chunk'; readonly header: Readonly<ChunkHeader> };

/** Bytes of the magic number that every header begins with. */
const MAGIC_BYTES = 4;

/** How many bytes the header has that begins with `start`; of fewer than {@link MAGIC_BYTES}, how many to read first. */
export function headerLength(mode: ReplyMode, start: Uint8Array): number {
  switch (mode) {
    case 'simple':
      return SIMPLE_REPLY_BYTES;
    case 'extended':
      return EXTENDED_REPLY_BYTES;
    case 'structured': {
      if (start.length < MAGIC_BYTES) return MAGIC_BYTES;
      const magic = viewOf(start).getUint32(0);
      if (magic === STRUCTURED_REPLY_MAGIC) return STRUCTURED_REPLY_BYTES;
      if (magic === SIMPLE_REPLY_MAGIC) return SIMPLE_REPLY_BYTES;
      throw badMagic(mode, start);
    }
  }
}

/** @throws NbdProtocolError unless a header of the negotiated kind is there */
export function parseReplyHeader(mode: ReplyMode, bytes: Uint8Array): ReplyHeader {
  const view = viewOf(bytes);
  if (mode === 'extended') {
    const header = new ChunkHeader();
    if (parseExtendedReply(view, 0, header)) return { kind: 'chunk', header };
  } else if (mode === 'structured' && bytes.length === STRUCTURED_REPLY_BYTES) {
    const header = new ChunkHeader();
    if (parseStructuredReply(view, 0, header)) return { kind: 'chunk', header };
  } else {
    const header = new SimpleReplyHeader();
    if (parseSimpleReply(view, 0, header)) return { kind: 'simple', header };
  }
  throw badMagic(mode, bytes);
}

/** Cookies of this client are below 2^53, and so exact; one beyond is unknown whether it is exact or not. */
export function cookieOf({
  cookieHigh,
  cookieLow,
}: {
  readonly cookieHigh: number;
  readonly cookieLow: number;
}): number {
  return (cookieHigh >>> 0) * 2 ** 32 + (cookieLow >>> 0);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function badMagic(mode: ReplyMode, bytes: Uint8Array): NbdProtocolError {
  const magic = viewOf(bytes).getUint32(0).toString(16).padStart(8, '0');
  return new NbdProtocolError('bad-reply-magic', `0x${magic} with ${mode} replies`);
}
