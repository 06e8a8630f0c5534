import { ChunkReplyQueue } from './chunk-reply-queue.js';
import type { RequestHeader } from './messages/request.js';
import { encodeStructuredReply, STRUCTURED_REPLY_BYTES } from './messages/structured-reply.js';
import { compactStatus } from './status-form.js';

/** Chunks with structured headers, and block status of 32 bits. */
export class StructuredReplyQueue extends ChunkReplyQueue {
  constructor(bytes: Uint8Array) {
    super(bytes, STRUCTURED_REPLY_BYTES, compactStatus);
  }

  override pushHeader(request: Readonly<RequestHeader>, flags: number, type: number, length: number): void {
    const { cookieHigh, cookieLow } = request;
    encodeStructuredReply(this.view, this.used, flags, type, cookieHigh, cookieLow, length);
    this.used += STRUCTURED_REPLY_BYTES;
  }
}
