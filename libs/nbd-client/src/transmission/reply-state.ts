import type { IncomingReply } from './replies/incoming-reply.js';

/** The message whose payload comes in: a chunk, or a simple reply with data. */
export interface OpenMessage {
  readonly reply: IncomingReply;
  readonly cookie: number;
  /** A `ChunkType`; of a simple reply, that of a chunk with the same content. */
  readonly type: number;
  /** Bytes of the payload. */
  readonly length: number;
  /** Whether the reply ends with it. */
  readonly isLast: boolean;
}

/** Where the stream of replies stands; each phase carries only its own facts. */
export type ReplyState =
  | { readonly phase: 'header' }
  /** The offset in front of the data of an OFFSET_DATA chunk. */
  | { readonly phase: 'data-offset'; readonly message: OpenMessage }
  /** Data passes to its destination as it comes. */
  | { readonly phase: 'data'; readonly message: OpenMessage; readonly remaining: number }
  /** A payload that is read as a whole. */
  | { readonly phase: 'payload'; readonly message: OpenMessage };
