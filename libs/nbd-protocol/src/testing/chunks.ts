import { Buffer } from 'node:buffer';
import type { ReplyMode } from '../handshake/reply-mode.js';

/* Reads replies in chunks, apart from the codecs under test, and holds them against what a reply must be. */

export interface DataChunk {
  readonly kind: 'data';
  readonly offset: number;
  readonly data: Buffer;
}
export interface HoleChunk {
  readonly kind: 'hole';
  readonly offset: number;
  readonly length: number;
}
export interface StatusChunk {
  readonly kind: 'status';
  readonly contextId: number;
  readonly extents: readonly { readonly length: number; readonly flags: bigint }[];
}
export type Chunk = DataChunk | HoleChunk | StatusChunk;

/** One reply, whole. */
export interface ChunkedReply {
  readonly cookie: bigint;
  /** Extended: the request's offset, of every chunk. */
  readonly offset: bigint;
  readonly chunks: readonly Chunk[];
  /** 0 if there is none. */
  readonly error: number;
  readonly message: string;
  /** Where on the export the error is; undefined if it does not say. */
  readonly errorOffset: number | undefined;
}

interface Header {
  readonly done: boolean;
  readonly type: number;
  readonly cookie: bigint;
  readonly offset: bigint;
  readonly payload: Buffer;
  readonly end: number;
}

type Draft = { -readonly [Key in keyof ChunkedReply]: ChunkedReply[Key] } & { chunks: Chunk[] };

/** Takes a stream of replies apart; throws where one is not what the specification says. */
export function chunkedRepliesOf(sent: Uint8Array, replyMode: ReplyMode): ChunkedReply[] {
  const bytes = Buffer.from(sent);
  const replies: ChunkedReply[] = [];
  let draft: Draft | undefined;
  for (let at = 0; at < bytes.length;) {
    const header = headerAt(bytes, at, replyMode);
    const { cookie, offset } = header;
    draft ??= { cookie, offset, chunks: [], error: 0, message: '', errorOffset: undefined };
    if (draft.cookie !== cookie || draft.offset !== offset)
      throw new Error('a reply goes on as it has begun (T16)');
    addChunk(draft, header, replyMode);
    if (header.done) {
      replies.push(draft);
      draft = undefined;
    }
    at = header.end;
  }
  if (draft !== undefined) throw new Error('the last chunk says DONE (T9)');
  return replies;
}

function headerAt(bytes: Buffer, at: number, replyMode: ReplyMode): Header {
  const extended = replyMode === 'extended';
  const magic = extended ? 0x6e8a278c : 0x668e33ef;
  if (bytes.readUInt32BE(at) !== magic) throw new Error(`no chunk begins at ${at} (T8)`);
  const flags = bytes.readUInt16BE(at + 4);
  if ((flags & ~1) !== 0) throw new Error(`unknown reply flags ${flags}`);
  const start = at + (extended ? 32 : 20);
  const length = extended ? Number(bytes.readBigUInt64BE(at + 24)) : bytes.readUInt32BE(at + 16);
  if (start + length > bytes.length) throw new Error('a chunk is whole');
  return {
    done: flags === 1,
    type: bytes.readUInt16BE(at + 6),
    cookie: bytes.readBigUInt64BE(at + 8),
    offset: extended ? bytes.readBigUInt64BE(at + 16) : 0n,
    payload: bytes.subarray(start, start + length),
    end: start + length,
  };
}

function addChunk(draft: Draft, { type, done, payload }: Header, replyMode: ReplyMode): void {
  if (draft.error !== 0 && type !== 0) throw new Error('an error is the end of what is told');
  switch (type) {
    case 0:
      if (!done || payload.length > 0) throw new Error('NONE has no payload, and says DONE');
      return;
    case 1:
      if (payload.length < 9) throw new Error('OFFSET_DATA has data');
      draft.chunks.push({ kind: 'data', offset: offsetIn(payload, 0), data: payload.subarray(8) });
      return;
    case 2:
      if (payload.length !== 12) throw new Error('OFFSET_HOLE is 12 bytes');
      draft.chunks.push({ kind: 'hole', offset: offsetIn(payload, 0), length: payload.readUInt32BE(8) });
      return;
    case 5:
    case 6:
      // B1: each mode has one type, and it alone.
      if ((type === 6) !== (replyMode === 'extended'))
        throw new Error(`type ${type} is not of this mode (B1)`);
      draft.chunks.push(statusOf(payload, type === 6));
      return;
    case 0x8001:
    case 0x8002: {
      const textEnd = 6 + payload.readUInt16BE(4);
      const length = textEnd + (type === 0x8002 ? 8 : 0);
      if (length !== payload.length) throw new Error('an error chunk is as long as it says');
      draft.error = payload.readUInt32BE(0);
      if (draft.error === 0) throw new Error('an error is not 0');
      draft.message = payload.subarray(6, textEnd).toString();
      draft.errorOffset = type === 0x8002 ? offsetIn(payload, textEnd) : undefined;
      return;
    }
    default:
      throw new Error(`unknown chunk type ${type}`);
  }
}

function statusOf(payload: Buffer, wide: boolean): StatusChunk {
  const start = wide ? 8 : 4;
  const size = wide ? 16 : 8;
  const count = (payload.length - start) / size;
  if (!Number.isInteger(count) || count < 1) throw new Error('a status chunk has whole descriptors (B6)');
  if (wide && payload.readUInt32BE(4) !== count) throw new Error('a status chunk counts its descriptors');
  const extents = Array.from({ length: count }, (_, index) => {
    const at = start + size * index;
    return wide
      ? { length: offsetIn(payload, at), flags: payload.readBigUInt64BE(at + 8) }
      : { length: payload.readUInt32BE(at), flags: BigInt(payload.readUInt32BE(at + 4)) };
  });
  return { kind: 'status', contextId: payload.readUInt32BE(0), extents };
}

function offsetIn(payload: Buffer, at: number): number {
  return Number(payload.readBigUInt64BE(at));
}
