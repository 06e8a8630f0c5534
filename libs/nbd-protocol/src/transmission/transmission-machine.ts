import { assert } from '@holdfast/foundation';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { NbdError, toNbdError } from '../constants/errors.js';
import { SEND_THRESHOLD_BYTES_DEFAULT, WRITE_THRESHOLD_BYTES_DEFAULT } from '../limits.js';
import { InputWindow } from './input-window.js';
import { visitQueuedReads } from './look-ahead.js';
import { alignedPiece } from './piece.js';
import { ReplyQueue } from './reply-queue.js';
import { parseRequest, REQUEST_BYTES, RequestHeader } from './messages/request.js';
import { SIMPLE_REPLY_BYTES } from './messages/simple-reply.js';
import { Step, type StepCode, type TransmissionEnd } from './step.js';
import { StepOperands } from './step-operands.js';
import { TransmissionCounters } from './transmission-counters.js';
import {
  checkTransmission,
  type TransmissionBuffers,
  type TransmissionFacts,
  type TransmissionOptions,
} from './transmission-facts.js';
import { validate } from './validate.js';

/** Where the machine stands between two steps. */
const Phase = {
  /** Between requests. → any other */
  requests: 0,
  /** A WRITE was accepted, `#remaining` bytes of its payload are to be written. → requests, drain, closing */
  payload: 1,
  /** A WRITE was refused or failed, `#remaining` bytes of its payload pass by unused (T3). → requests, closing */
  drain: 2,
  /** A READ longer than the output buffer, `#remaining` bytes are to be read. → requests, closing */
  pieces: 3,
  /** A READ whose header is queued; its data goes from file to socket. → requests, closing */
  transfer: 4,
  /** What is queued is sent, then the connection closes. The last. */
  closing: 5,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** Not a step: the machine goes on by itself, or no report is awaited. */
const NO_STEP = -1;
type NoStep = typeof NO_STEP;

/**
 * The server's side of the transmission phase with simple replies, without I/O: {@link next} says which step to take,
 * the driver takes it and reports, one step at a time. Requests are served in order.
 *
 * Replies are queued while whole requests wait in the input, and sent when the queue is full, passes the send
 * threshold, or input must be awaited; and before they would wait for work that takes long: many bytes written, or a
 * request that waits for the disk. A WRITE goes from the input buffer to the file in one piece if the buffer can
 * hold it, else in buffer-fulls; so no payload is ever allocated for.
 *
 * This is the hot path: nothing is allocated here once the machine is made.
 */
export class TransmissionMachine extends StepOperands {
  readonly #counters = new TransmissionCounters();
  readonly #facts: TransmissionFacts;
  readonly #input: InputWindow;
  readonly #output: ReplyQueue;
  readonly #transferMinimum: number;
  readonly #sendThreshold: number;
  readonly #writeThreshold: number;
  /** The request under way. */
  readonly #request = new RequestHeader();
  /** Headers that a look ahead reads. */
  readonly #ahead = new RequestHeader();
  #phase: Phase = Phase.requests;
  /** The step whose report is due. */
  #awaited: StepCode | NoStep = NO_STEP;
  /** Of the request under way: where on the export its next piece lies, and how many bytes are left. */
  #cursor = 0;
  #remaining = 0;
  /** What the WRITE in the drain is answered with. */
  #failure: NbdError = NbdError.EIO;
  /** Bytes written since the last send. */
  #writtenUnanswered = 0;
  #shuttingDown = false;

  constructor(facts: TransmissionFacts, buffers: TransmissionBuffers, options: TransmissionOptions) {
    super();
    checkTransmission(facts, buffers, options);
    this.#facts = facts;
    this.#input = new InputWindow(buffers.input);
    this.#output = new ReplyQueue(buffers.output);
    this.#transferMinimum = options.transferMinimum;
    this.#sendThreshold = options.sendThreshold ?? SEND_THRESHOLD_BYTES_DEFAULT;
    this.#writeThreshold = options.writeThreshold ?? WRITE_THRESHOLD_BYTES_DEFAULT;
  }

  get counters(): Readonly<TransmissionCounters> {
    return this.#counters;
  }

  /** Bytes received and not used yet, and queued and not sent yet. */
  get bufferedBytes(): number {
    return this.#input.buffered + this.#output.used;
  }

  /**
   * Takes bytes that were received before the machine was made.
   *
   * @throws RangeError if they exceed the input buffer
   */
  preload(bytes: Uint8Array): void {
    const input = this.#input;
    assert(this.#awaited === NO_STEP, 'bytes are preloaded between steps');
    if (input.buffered + bytes.length > input.capacity) {
      throw new RangeError(`${bytes.length} bytes do not fit an input buffer of ${input.capacity}`);
    }
    input.makeRoom(input.buffered + bytes.length);
    input.bytes.set(bytes, input.tail);
    input.append(bytes.length);
  }

  /** The next step; its operands are in the fields of this object. */
  next(): StepCode {
    assert(this.#awaited === NO_STEP, 'a step is reported before the next');
    for (;;) {
      const step = this.#advance();
      if (step === NO_STEP) continue;
      if (step !== Step.close) this.#awaited = step;
      return step;
    }
  }

  /** Reports a receive of `count` bytes; 0: the stream ended, or the receive failed. */
  received(count: number): void {
    assert(this.#awaited === Step.receive, 'a receive is reported when one was asked for');
    this.#awaited = NO_STEP;
    if (count > 0) {
      this.#input.append(count);
    } else {
      const betweenRequests = this.#phase === Phase.requests && this.#input.buffered === 0;
      this.#end(betweenRequests ? 'end-of-stream' : 'truncated-request');
    }
  }

  /** Reports that everything was sent. A send that fails ends the session: there is nothing more to ask. */
  sent(): void {
    assert(this.#awaited === Step.send, 'a send is reported when one was asked for');
    this.#awaited = NO_STEP;
    this.#output.used = 0;
    this.#writtenUnanswered = 0;
  }

  /** Reports a read, write, flush, trim, zero or transfer: 0, or the Linux errno. Short is not done: that is EIO. */
  completed(errno: number): void {
    const step = this.#awaited;
    assert(step >= Step.read && step <= Step.transfer, 'an operation is reported when one was asked for');
    this.#awaited = NO_STEP;
    if (step === Step.read) this.#readCompleted(errno);
    else if (step === Step.write) this.#writeCompleted(errno);
    else if (step === Step.transfer) this.#transferCompleted(errno);
    else this.#reply(errno === 0 ? 0 : toNbdError(errno));
  }

  /** From now on new requests are answered ESHUTDOWN, but for DISC; what was begun is finished (T16). */
  beginShutdown(): void {
    this.#shuttingDown = true;
  }

  /**
   * Visits the valid READs that wait in the input behind the request under way, so that a driver can tell the kernel
   * of them ahead. Looks at no more than 64 requests.
   */
  forEachQueuedRead(visit: (fileOffset: number, length: number) => void): void {
    const inPayload = this.#phase === Phase.payload || this.#phase === Phase.drain;
    const payloadLength = inPayload ? this.#remaining : 0;
    visitQueuedReads(this.#input, payloadLength, this.#facts, this.#ahead, visit);
  }

  #advance(): StepCode | NoStep {
    switch (this.#phase) {
      case Phase.requests:
        return this.#takeRequest();
      case Phase.payload:
        return this.#writePiece();
      case Phase.drain:
        return this.#drainPayload();
      case Phase.pieces:
        return this.#output.used > 0 ? this.#send(1) : this.#readPiece(0);
      case Phase.transfer:
        this.fileOffset = this.#cursor;
        this.length = this.#remaining;
        return Step.transfer;
      case Phase.closing:
        return this.#output.used > 0 ? this.#send(0) : Step.close;
    }
  }

  #takeRequest(): StepCode | NoStep {
    const input = this.#input;
    const output = this.#output;
    const request = this.#request;
    // A request is begun only when its reply has room: no error need ever wait.
    if (output.free < SIMPLE_REPLY_BYTES || this.#repliesAreDue()) return this.#send(0);
    if (input.buffered < REQUEST_BYTES) return this.#receive(REQUEST_BYTES);
    if (!parseRequest(input.view, input.head, request)) return this.#end('bad-magic');
    if (request.type === Command.DISC) return this.#end('disconnect');

    const error = this.#shuttingDown ? NbdError.ESHUTDOWN : validate(request, this.#facts);
    // The request stays in the input, and is taken up again with the queue empty.
    if (error === 0 && output.used > 0 && waitsForTheDisk(request)) return this.#send(0);
    if (request.type === Command.READ && error === 0) return this.#beginRead();
    if (request.type === Command.WRITE) return this.#beginWrite(error);
    this.#consumeRequest();
    if (error !== 0) return this.#reply(error);
    return this.#beginCommand();
  }

  /** True once enough is queued, or the client has waited for enough work, that a send is worth its cost. */
  #repliesAreDue(): boolean {
    return this.#output.used >= this.#sendThreshold || this.#writtenUnanswered >= this.#writeThreshold;
  }

  #beginCommand(): StepCode {
    const { type, flags, offset, length } = this.#request;
    this.fileOffset = offset;
    this.length = length;
    this.durable = flags & CommandFlag.FUA;
    if (type === Command.FLUSH) return Step.flush;
    if (type === Command.TRIM) return Step.trim;
    this.noHole = (flags & CommandFlag.NO_HOLE) === 0 ? 0 : 1;
    this.fast = (flags & CommandFlag.FAST_ZERO) === 0 ? 0 : 1;
    return Step.zero;
  }

  #beginRead(): StepCode {
    const { offset, length } = this.#request;
    const output = this.#output;
    this.#cursor = offset;
    this.#remaining = length;
    if (length >= this.#transferMinimum) {
      this.#consumeRequest();
      this.#phase = Phase.transfer;
      this.#reply(0);
      return this.#send(1);
    }
    if (SIMPLE_REPLY_BYTES + length <= output.free) {
      this.#consumeRequest();
      return this.#readPiece(output.used + SIMPLE_REPLY_BYTES);
    }
    // The request stays in the input, and is taken up again with the queue empty.
    if (output.used > 0) return this.#send(0);
    this.#consumeRequest();
    this.#phase = Phase.pieces;
    return this.#readPiece(SIMPLE_REPLY_BYTES);
  }

  /** Reads as much as the output can hold behind `bufferOffset`. */
  #readPiece(bufferOffset: number): StepCode {
    this.fileOffset = this.#cursor;
    this.length = alignedPiece(this.#cursor, this.#remaining, this.#output.capacity - bufferOffset);
    this.bufferOffset = bufferOffset;
    return Step.read;
  }

  #readCompleted(errno: number): void {
    const headerSent = this.#remaining < this.#request.length;
    if (errno !== 0) {
      if (headerSent) {
        this.#endAtOnce();
      } else {
        this.#phase = Phase.requests;
        this.#reply(toNbdError(errno));
      }
      return;
    }
    this.#counters.bytesRead += this.length;
    this.#cursor += this.length;
    this.#remaining -= this.length;
    if (headerSent) this.#output.used += this.length;
    else this.#output.push(0, this.#request.cookieHigh, this.#request.cookieLow, this.length);
    if (this.#remaining === 0) this.#phase = Phase.requests;
  }

  #transferCompleted(errno: number): void {
    if (errno !== 0) {
      this.#endAtOnce();
      return;
    }
    this.#counters.bytesRead += this.length;
    this.#phase = Phase.requests;
  }

  #beginWrite(error: NbdError | 0): NoStep {
    const { offset, length } = this.#request;
    // T1: a payload this long is not even drained.
    if (length > this.#facts.payloadMaximum) return this.#end('payload-too-large');
    this.#consumeRequest();
    this.#cursor = offset;
    this.#remaining = length;
    if (error === 0) {
      this.#phase = Phase.payload;
    } else {
      this.#failure = error;
      this.#phase = Phase.drain;
    }
    return NO_STEP;
  }

  #writePiece(): StepCode {
    const { buffered, capacity, head, tail } = this.#input;
    if (buffered < this.#remaining) {
      if (this.#remaining <= capacity) return this.#receive(this.#remaining);
      // Too long for the buffer: a piece is worth a write once the buffer is full, and mostly of this payload.
      if (tail < capacity || buffered < capacity / 2) return this.#receive(buffered + 1);
    }
    this.fileOffset = this.#cursor;
    this.length = alignedPiece(this.#cursor, this.#remaining, buffered);
    this.bufferOffset = head;
    this.durable = this.#request.flags & CommandFlag.FUA;
    return Step.write;
  }

  #writeCompleted(errno: number): void {
    this.#input.consume(this.length);
    this.#cursor += this.length;
    this.#remaining -= this.length;
    if (errno !== 0) {
      this.#failure = toNbdError(errno);
      this.#phase = Phase.drain;
      return;
    }
    this.#counters.bytesWritten += this.length;
    this.#writtenUnanswered += this.length;
    if (this.#remaining === 0) {
      this.#phase = Phase.requests;
      this.#reply(0);
    }
  }

  #drainPayload(): StepCode | NoStep {
    const passing = Math.min(this.#input.buffered, this.#remaining);
    this.#input.consume(passing);
    this.#remaining -= passing;
    if (this.#remaining > 0) return this.#receive(1);
    this.#phase = Phase.requests;
    return this.#reply(this.#failure);
  }

  #consumeRequest(): void {
    this.#input.consume(REQUEST_BYTES);
    this.#counters.requests += 1;
  }

  #reply(error: NbdError | 0): NoStep {
    this.#output.push(error, this.#request.cookieHigh, this.#request.cookieLow, 0);
    if (error !== 0) this.#counters.errors += 1;
    return NO_STEP;
  }

  /** Awaits input until `wanted` bytes are there; what is queued goes first, for the client may wait for it. */
  #receive(wanted: number): StepCode {
    if (this.#output.used > 0) return this.#send(0);
    this.#input.makeRoom(wanted);
    this.inputOffset = this.#input.tail;
    this.inputLength = this.#input.capacity - this.#input.tail;
    return Step.receive;
  }

  #send(more: 0 | 1): StepCode {
    this.outputOffset = 0;
    this.outputLength = this.#output.used;
    this.more = more;
    return Step.send;
  }

  /** Ends the session once what is queued is sent. */
  #end(reason: TransmissionEnd): NoStep {
    this.closeReason = reason;
    this.#phase = Phase.closing;
    return NO_STEP;
  }

  /** T10: "the server MUST immediately initiate a hard disconnect; it MUST NOT send any further data". */
  #endAtOnce(): void {
    assert(this.#output.used === 0, 'a header that is sent leaves nothing queued');
    this.#counters.errors += 1;
    this.#end('io-error');
  }
}

/** FLUSH and FUA take milliseconds: the answers before them are not held back for that long. */
function waitsForTheDisk({ type, flags }: Readonly<RequestHeader>): boolean {
  return type === Command.FLUSH || (type !== Command.READ && (flags & CommandFlag.FUA) !== 0);
}
