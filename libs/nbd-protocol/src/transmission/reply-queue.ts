import { encodeSimpleReply, SIMPLE_REPLY_BYTES } from './messages/simple-reply.js';

/** The output buffer: replies are queued from its front, and sent all at once. */
export class ReplyQueue {
  readonly view: DataView;
  readonly capacity: number;
  /** Bytes queued. */
  used = 0;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.capacity = bytes.length;
  }

  get free(): number {
    return this.capacity - this.used;
  }

  /** Queues a reply header; `dataLength` bytes that lie behind it already are queued with it. */
  push(error: number, cookieHigh: number, cookieLow: number, dataLength: number): void {
    encodeSimpleReply(this.view, this.used, error, cookieHigh, cookieLow);
    this.used += SIMPLE_REPLY_BYTES + dataLength;
  }
}
