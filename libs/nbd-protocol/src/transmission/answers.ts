import { ChunkedRead } from './chunked-read.js';
import { CommandAnswer } from './command-answer.js';
import type { Exchange } from './exchange.js';
import { ExtendedReplyQueue } from './extended-reply-queue.js';
import type { InputWindow } from './input-window.js';
import { PayloadIntake } from './payload-intake.js';
import type { ReadAnswer } from './read-answer.js';
import { requestFormOf, type RequestForm } from './request-form.js';
import { SimpleRead } from './simple-read.js';
import { SimpleReplyQueue } from './simple-reply-queue.js';
import { StatusAnswer } from './status-answer.js';
import { StructuredReplyQueue } from './structured-reply-queue.js';
import { Wire } from './wire.js';

/** How one session takes requests and answers them: chosen once, from what was negotiated. */
export interface Answers {
  readonly form: RequestForm;
  readonly wire: Wire;
  readonly payload: PayloadIntake;
  readonly command: CommandAnswer;
  readonly read: ReadAnswer;
  /** Absent with simple replies, which have no block status. */
  readonly status: StatusAnswer | undefined;
}

export function answersFor(exchange: Exchange, input: InputWindow, output: Uint8Array): Answers {
  const { facts, operands } = exchange;
  if (facts.replyMode === 'simple') {
    const replies = new SimpleReplyQueue(output);
    const wire = new Wire(input, replies, operands);
    return { ...inAnyMode(exchange, wire), read: new SimpleRead(exchange, wire, replies), status: undefined };
  }
  const replies =
    facts.replyMode === 'structured' ? new StructuredReplyQueue(output) : new ExtendedReplyQueue(output);
  const wire = new Wire(input, replies, operands);
  return {
    ...inAnyMode(exchange, wire),
    read: new ChunkedRead(exchange, wire, replies),
    status: new StatusAnswer(exchange, wire, replies),
  };
}

function inAnyMode(exchange: Exchange, wire: Wire): Omit<Answers, 'read' | 'status'> {
  return {
    form: requestFormOf(exchange.facts.replyMode),
    wire,
    payload: new PayloadIntake(exchange, wire),
    command: new CommandAnswer(exchange, wire),
  };
}
