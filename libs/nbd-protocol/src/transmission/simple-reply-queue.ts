import { encodeSimpleReply, SIMPLE_REPLY_BYTES } from './messages/simple-reply.js';
import type { RequestHeader } from './messages/request.js';
import type { ReplyError } from './reply-error.js';
import { ReplyQueue } from './reply-queue.js';

/** Simple replies: a header, and the data of a READ behind it (section "Simple reply message"). */
export class SimpleReplyQueue extends ReplyQueue {
  override readonly answerBytesMax = SIMPLE_REPLY_BYTES;

  override pushSuccess(request: Readonly<RequestHeader>): void {
    this.pushData(request, 0);
  }

  override pushError(request: Readonly<RequestHeader>, error: ReplyError): void {
    encodeSimpleReply(this.view, this.used, error.code, request.cookieHigh, request.cookieLow);
    this.used += SIMPLE_REPLY_BYTES;
  }

  /** Queues the header of a READ; `dataLength` bytes that lie behind it already are queued with it. */
  pushData(request: Readonly<RequestHeader>, dataLength: number): void {
    encodeSimpleReply(this.view, this.used, 0, request.cookieHigh, request.cookieLow);
    this.used += SIMPLE_REPLY_BYTES + dataLength;
  }
}
