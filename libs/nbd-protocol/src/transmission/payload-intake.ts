import { CommandFlag } from '../constants/command-flags.js';
import type { Exchange } from './exchange.js';
import { LONG_PAYLOAD_BYTES } from '../limits.js';
import type { RequestHeader } from './messages/request.js';
import { alignedPiece } from './piece.js';
import { ANSWERED, NO_STEP, type Progress } from './progress.js';
import { failureOfErrno, type ReplyError } from './reply-error.js';
import { Step } from './step.js';
import type { StepOperands } from './step-operands.js';
import type { TransmissionCounters } from './transmission-counters.js';
import type { Wire } from './wire.js';

/**
 * Takes in the payload of a request: that of a WRITE goes from the input buffer to the file, in one piece if the buffer
 * can hold it, else in buffer-fulls; so no payload is ever allocated for. That of a request which was refused or has
 * failed passes by unused, and the request is answered behind it (T1, T3).
 */
export class PayloadIntake {
  /** Bytes written since the last send. */
  writtenUnanswered = 0;
  readonly #wire: Wire;
  readonly #operands: StepOperands;
  readonly #request: RequestHeader;
  readonly #counters: TransmissionCounters;
  /** Where on the export the next piece lies, and how many bytes of payload are left. */
  #cursor = 0;
  #remaining = 0;
  #lastLength = 0;
  /** What the request is answered with, if not with success. */
  #error: ReplyError | undefined;

  constructor(exchange: Exchange, wire: Wire) {
    this.#wire = wire;
    this.#operands = exchange.operands;
    this.#request = exchange.request;
    this.#counters = exchange.counters;
  }

  /** Bytes of payload that have not been used yet. */
  get remaining(): number {
    return this.#remaining;
  }

  /** How much to have of the next request at once: one like the last if that was long, which begins an empty buffer. */
  get mostAhead(): number {
    return this.#lastLength < LONG_PAYLOAD_BYTES ? Infinity : this.#lastLength;
  }

  /** Begins the payload of a request; with an `error` it passes by unused. */
  begin(payloadLength: number, error: ReplyError | undefined): void {
    this.#cursor = this.#request.offset;
    this.#remaining = payloadLength;
    this.#lastLength = payloadLength;
    this.#error = error;
  }

  advance(): Progress {
    return this.#error === undefined ? this.#writePiece() : this.#passBy(this.#error);
  }

  /** Reports a write. */
  completed(errno: number): Progress {
    const { length } = this.#operands;
    this.#wire.input.consume(length);
    this.#cursor += length;
    this.#remaining -= length;
    if (errno !== 0) {
      this.#error = failureOfErrno(errno);
      return NO_STEP;
    }
    this.#counters.bytesWritten += length;
    this.writtenUnanswered += length;
    if (this.#remaining > 0) return NO_STEP;
    this.#wire.replies.pushSuccess(this.#request);
    return ANSWERED;
  }

  #writePiece(): Progress {
    const { buffered, capacity, head, tail } = this.#wire.input;
    if (buffered < this.#remaining) {
      if (this.#remaining <= capacity) {
        const most = this.#remaining < LONG_PAYLOAD_BYTES ? Infinity : this.#remaining;
        return this.#wire.receive(this.#remaining, most);
      }
      // Too long for the buffer: a piece is worth a write once the buffer is full, and mostly of this payload.
      if (tail < capacity || buffered < capacity / 2) return this.#wire.receive(buffered + 1);
    }
    this.#operands.fileOffset = this.#cursor;
    this.#operands.length = alignedPiece(this.#cursor, this.#remaining, buffered);
    this.#operands.bufferOffset = head;
    this.#operands.durable = this.#request.flags & CommandFlag.FUA;
    return Step.write;
  }

  #passBy(error: ReplyError): Progress {
    const { input, replies } = this.#wire;
    const passing = Math.min(input.buffered, this.#remaining);
    input.consume(passing);
    this.#remaining -= passing;
    if (this.#remaining > 0) return this.#wire.receive(1);
    replies.pushError(this.#request, error);
    this.#counters.errors += 1;
    return ANSWERED;
  }
}
