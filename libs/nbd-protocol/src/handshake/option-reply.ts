import { Buffer } from 'node:buffer';
import type { OptionReplyType } from '../constants/option-replies.js';
import { OPTION_REPLY_MAGIC } from '../constants/magic.js';
import { bufferOver } from './buffer-over.js';

/*
 * Option reply (section "Fixed newstyle negotiation")
 *   S: 64 bits, 0x3e889045565a9
 *   S: 32 bits, the option that this is a reply to
 *   S: 32 bits, reply type
 *   S: 32 bits, length of the reply
 *   S: any data as required by the reply; of an error, a text for a human
 */
export const OPTION_REPLY_HEADER_BYTES = 20;

export interface OptionReply {
  readonly option: number;
  /** An {@link OptionReplyType}, or one that this side does not know. */
  readonly type: number;
  readonly data: Uint8Array;
}

export function encodeOptionReply(
  option: number,
  type: OptionReplyType,
  data: Uint8Array = new Uint8Array(),
): Uint8Array {
  const bytes = Buffer.alloc(OPTION_REPLY_HEADER_BYTES + data.length);
  bytes.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(type, 12);
  bytes.writeUInt32BE(data.length, 16);
  bytes.set(data, OPTION_REPLY_HEADER_BYTES);
  return bytes;
}

/**
 * Reads an option reply from the front of a stream; `data` is lent from it. A length above `dataBytesMax` is told
 * before its data is awaited (T19).
 */
export function parseOptionReply(
  stream: Uint8Array,
  dataBytesMax: number,
): OptionReply | 'incomplete' | 'bad-magic' | 'too-long' {
  if (stream.length < OPTION_REPLY_HEADER_BYTES) return 'incomplete';
  const bytes = bufferOver(stream);
  if (bytes.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC) return 'bad-magic';
  const end = OPTION_REPLY_HEADER_BYTES + bytes.readUInt32BE(16);
  if (end - OPTION_REPLY_HEADER_BYTES > dataBytesMax) return 'too-long';
  if (stream.length < end) return 'incomplete';
  return {
    option: bytes.readUInt32BE(8),
    type: bytes.readUInt32BE(12),
    data: stream.subarray(OPTION_REPLY_HEADER_BYTES, end),
  };
}
