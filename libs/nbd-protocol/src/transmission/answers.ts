import { ChunkedRead } from './chunked-read.js';
import type { Exchange } from './exchange.js';
import { ExtendedReplyQueue } from './extended-reply-queue.js';
import type { InputWindow } from './input-window.js';
import type { ReadAnswer } from './read-answer.js';
import { SimpleRead } from './simple-read.js';
import { SimpleReplyQueue } from './simple-reply-queue.js';
import { StatusAnswer } from './status-answer.js';
import { StructuredReplyQueue } from './structured-reply-queue.js';
import { Wire } from './wire.js';

/** How one session answers: chosen once, from what was negotiated. */
export interface Answers {
  readonly wire: Wire;
  readonly read: ReadAnswer;
  /** Absent with simple replies, which have no block status. */
  readonly status: StatusAnswer | undefined;
}

export function answersFor(exchange: Exchange, input: InputWindow, output: Uint8Array): Answers {
  const { facts, operands } = exchange;
  if (facts.replyMode === 'simple') {
    const replies = new SimpleReplyQueue(output);
    const wire = new Wire(input, replies, operands);
    return { wire, read: new SimpleRead(exchange, wire, replies), status: undefined };
  }
  const replies =
    facts.replyMode === 'structured' ? new StructuredReplyQueue(output) : new ExtendedReplyQueue(output);
  const wire = new Wire(input, replies, operands);
  return {
    wire,
    read: new ChunkedRead(exchange, wire, replies),
    status: new StatusAnswer(exchange, wire, replies),
  };
}
