import { ChunkReplyQueue } from './chunk-reply-queue.js';
import { encodeExtendedReply, EXTENDED_REPLY_BYTES } from './messages/extended-reply.js';
import type { RequestHeader } from './messages/request.js';
import { extendedStatus } from './status-form.js';

/** Chunks with extended headers, which echo the request's offset, and block status of 64 bits (T12). */
export class ExtendedReplyQueue extends ChunkReplyQueue {
  constructor(bytes: Uint8Array) {
    super(bytes, EXTENDED_REPLY_BYTES, extendedStatus);
  }

  override pushHeader(request: Readonly<RequestHeader>, flags: number, type: number, length: number): void {
    const { cookieHigh, cookieLow, offsetHigh, offsetLow } = request;
    encodeExtendedReply(
      this.view,
      this.used,
      flags,
      type,
      cookieHigh,
      cookieLow,
      offsetHigh,
      offsetLow,
      length,
    );
    this.used += EXTENDED_REPLY_BYTES;
  }
}
