import { Buffer } from 'node:buffer';
import type { ReplyMode } from '../handshake/reply-mode.js';
import {
  parseSimpleReply,
  SIMPLE_REPLY_BYTES,
  SimpleReplyHeader,
} from '../transmission/messages/simple-reply.js';

/** A request as a test writes it. Written field by field, apart from the encoder under test. */
export interface RequestText {
  readonly type: number;
  readonly flags?: number;
  readonly cookie?: bigint;
  readonly offset?: number | bigint;
  readonly length?: number | bigint;
  /** Follows the header; with extended headers the flag PAYLOAD_LEN is set for it. */
  readonly payload?: Uint8Array;
}

/** A compact request. */
export function requestBytes(request: RequestText): Buffer {
  const header = Buffer.alloc(28);
  header.writeUInt32BE(0x25609513, 0);
  header.writeUInt16BE(request.flags ?? 0, 4);
  header.writeUInt16BE(request.type, 6);
  header.writeBigUInt64BE(request.cookie ?? 0n, 8);
  header.writeBigUInt64BE(BigInt(request.offset ?? 0), 16);
  header.writeUInt32BE(Number(request.length ?? request.payload?.length ?? 0), 24);
  return Buffer.concat([header, request.payload ?? new Uint8Array()]);
}

export function extendedRequestBytes(request: RequestText): Buffer {
  const flags = (request.flags ?? 0) | (request.payload === undefined ? 0 : 1 << 5);
  const header = Buffer.alloc(32);
  header.writeUInt32BE(0x21e41c71, 0);
  header.writeUInt16BE(flags, 4);
  header.writeUInt16BE(request.type, 6);
  header.writeBigUInt64BE(request.cookie ?? 0n, 8);
  header.writeBigUInt64BE(BigInt(request.offset ?? 0), 16);
  header.writeBigUInt64BE(BigInt(request.length ?? request.payload?.length ?? 0), 24);
  return Buffer.concat([header, request.payload ?? new Uint8Array()]);
}

/** A request as a client writes it that has negotiated this. */
export function requestBytesIn(replyMode: ReplyMode, request: RequestText): Buffer {
  return replyMode === 'extended' ? extendedRequestBytes(request) : requestBytes(request);
}

/** The payload by which a BLOCK_STATUS names the contexts that it asks about. */
export function filterBytes(effectLength: number | bigint, ...contextIds: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + 4 * contextIds.length);
  bytes.writeBigUInt64BE(BigInt(effectLength));
  contextIds.forEach((contextId, index) => bytes.writeUInt32BE(contextId, 8 + 4 * index));
  return bytes;
}

export function simpleReplyBytes(cookie: bigint, error: number, data: Uint8Array = new Uint8Array()): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32BE(0x67446698, 0);
  header.writeUInt32BE(error, 4);
  header.writeBigUInt64BE(cookie, 8);
  return Buffer.concat([header, data]);
}

/** The errors of a stream of replies without data, in order. */
export function errorsOf(replies: Uint8Array): number[] {
  const view = new DataView(replies.buffer, replies.byteOffset, replies.byteLength);
  const header = new SimpleReplyHeader();
  const errors: number[] = [];
  for (let at = 0; at < replies.length; at += SIMPLE_REPLY_BYTES) {
    if (!parseSimpleReply(view, at, header)) throw new Error(`no reply begins at ${at}`);
    errors.push(header.error);
  }
  return errors;
}

/** Bytes that tell where they are. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7 + seed) & 0xff;
  return bytes;
}

/** A stream cut after each of the offsets. */
export function cutAt(stream: Uint8Array, ...offsets: readonly number[]): Uint8Array[] {
  return [0, ...offsets].map((from, index) => stream.subarray(from, offsets[index] ?? stream.length));
}

/** A stream in chunks whose sizes are taken from `sizes` round and round. */
export function inChunks(stream: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(stream.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
