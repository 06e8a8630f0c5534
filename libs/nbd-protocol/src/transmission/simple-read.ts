import type { Exchange } from './exchange.js';
import { SIMPLE_REPLY_BYTES } from './messages/simple-reply.js';
import type { RequestHeader } from './messages/request.js';
import { alignedPiece } from './piece.js';
import { ANSWERED, BROKEN, NO_STEP, type Progress } from './progress.js';
import type { ReadAnswer } from './read-answer.js';
import { failureOfErrno } from './reply-error.js';
import type { SimpleReplyQueue } from './simple-reply-queue.js';
import { Step } from './step.js';
import type { StepOperands } from './step-operands.js';
import type { TransmissionCounters } from './transmission-counters.js';
import type { Wire } from './wire.js';

/** Answers a READ by a header and all of its data. Once the header is sent, an error can only end the connection (T10). */
export class SimpleRead implements ReadAnswer {
  readonly #wire: Wire;
  readonly #replies: SimpleReplyQueue;
  readonly #operands: StepOperands;
  readonly #request: RequestHeader;
  readonly #counters: TransmissionCounters;
  readonly #transferMinimum: number;
  /** Where on the export the next piece lies, and how many bytes are left. */
  #cursor = 0;
  #remaining = 0;

  constructor(exchange: Exchange, wire: Wire, replies: SimpleReplyQueue) {
    this.#wire = wire;
    this.#replies = replies;
    this.#operands = exchange.operands;
    this.#request = exchange.request;
    this.#counters = exchange.counters;
    this.#transferMinimum = exchange.transferMinimum;
  }

  begin(): Progress {
    const { offset, length } = this.#request;
    const replies = this.#replies;
    const bufferOffset = replies.used + SIMPLE_REPLY_BYTES;
    // Nearly always.
    if (length < this.#transferMinimum && bufferOffset + length <= replies.capacity) {
      const operands = this.#operands;
      operands.fileOffset = offset;
      operands.length = length;
      operands.bufferOffset = bufferOffset;
      return Step.read;
    }
    this.#cursor = offset;
    this.#remaining = length;
    if (length >= this.#transferMinimum) {
      replies.pushData(this.#request, 0);
      return this.#wire.send(1);
    }
    return replies.used > 0 ? this.#wire.send(0) : this.#readPiece(SIMPLE_REPLY_BYTES);
  }

  /** What does not fit the queue: a transfer whose header is sent, or pieces. */
  advance(): Progress {
    if (this.#request.length >= this.#transferMinimum) {
      this.#operands.fileOffset = this.#cursor;
      this.#operands.length = this.#remaining;
      return Step.transfer;
    }
    if (this.#replies.used > 0) return this.#wire.send(1);
    return this.#readPiece(this.#remaining < this.#request.length ? 0 : SIMPLE_REPLY_BYTES);
  }

  completed(errno: number): Progress {
    const { length } = this.#operands;
    const isWhole = length === this.#request.length;
    const headerIsSent = !isWhole && this.#remaining < this.#request.length;
    if (errno !== 0) {
      if (headerIsSent) return BROKEN;
      this.#replies.pushError(this.#request, failureOfErrno(errno));
      this.#counters.errors += 1;
      return ANSWERED;
    }
    this.#counters.bytesRead += length;
    if (headerIsSent) this.#replies.used += length;
    else this.#replies.pushData(this.#request, length);
    if (isWhole) return ANSWERED;
    this.#cursor += length;
    this.#remaining -= length;
    return this.#remaining === 0 ? ANSWERED : NO_STEP;
  }

  transferred(_count: number, errno: number): Progress {
    if (errno !== 0) return BROKEN;
    this.#counters.bytesRead += this.#remaining;
    return ANSWERED;
  }

  forget(): void {
    // Simple replies tell nothing of holes, so nothing is known of them.
  }

  /** Reads as much as the output can hold behind `bufferOffset`. */
  #readPiece(bufferOffset: number): Progress {
    this.#operands.fileOffset = this.#cursor;
    this.#operands.length = alignedPiece(
      this.#cursor,
      this.#remaining,
      this.#replies.capacity - bufferOffset,
    );
    this.#operands.bufferOffset = bufferOffset;
    return Step.read;
  }
}
