import type { RequestHeader } from './messages/request.js';
import type { ReplyError } from './reply-error.js';

/** The output buffer: replies are queued from its front, and sent all at once. Its heirs know how replies look. */
export abstract class ReplyQueue {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly capacity: number;
  /** Most bytes that an answer without data takes: with as much room no error need ever wait. */
  abstract readonly answerBytesMax: number;
  /** Bytes queued. */
  used = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.capacity = bytes.length;
  }

  get free(): number {
    return this.capacity - this.used;
  }

  /** Queues that a request succeeded, or that the reply to it is complete. */
  abstract pushSuccess(request: Readonly<RequestHeader>): void;

  /** Queues that a request failed. */
  abstract pushError(request: Readonly<RequestHeader>, error: ReplyError): void;
}
