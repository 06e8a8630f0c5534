import { assert } from '@holdfast/foundation';
import { Command } from '../constants/commands.js';
import {
  EARLY_SEND_BYTES_MIN,
  SEND_THRESHOLD_BYTES_DEFAULT,
  WRITE_THRESHOLD_BYTES_DEFAULT,
} from '../limits.js';
import { answersFor } from './answers.js';
import type { CommandAnswer } from './command-answer.js';
import { waitsForTheDisk } from './disk-wait.js';
import type { Exchange } from './exchange.js';
import { InputWindow } from './input-window.js';
import { visitQueuedReads } from './look-ahead.js';
import { RequestHeader } from './messages/request.js';
import type { Pace } from './pace.js';
import type { PayloadIntake } from './payload-intake.js';
import { Phase } from './phase.js';
import { ANSWERED, BROKEN, NO_STEP, type NoStep, type Progress } from './progress.js';
import type { ReadAnswer } from './read-answer.js';
import { Refusal, type ReplyError } from './reply-error.js';
import type { ReplyQueue } from './reply-queue.js';
import type { RequestForm } from './request-form.js';
import { Step, type StepCode, type TransmissionEnd } from './step.js';
import { StepOperands } from './step-operands.js';
import type { StatusAnswer } from './status-answer.js';
import { TransmissionCounters } from './transmission-counters.js';
import {
  checkTransmission,
  type TransmissionBuffers,
  type TransmissionFacts,
  type TransmissionOptions,
} from './transmission-facts.js';
import { validate } from './validate.js';
import type { Wire } from './wire.js';

/** What a request begins with. */
const MAGIC_BYTES = 4;

/**
 * The server's side of the transmission phase, without I/O: {@link next} says which step to take, the driver takes it
 * and reports, one step at a time. Requests are served in order. How requests and replies look is chosen when the machine
 * is made, from what was negotiated.
 *
 * Replies are queued while whole requests wait in the input, and sent when the queue is full, passes the send
 * threshold, or input must be awaited; and before they would wait for work that takes long: many bytes written, or a
 * request that waits for the disk.
 *
 * This is the hot path: with simple replies nothing is allocated here once the machine is made.
 */
export class TransmissionMachine extends StepOperands {
  readonly #counters = new TransmissionCounters();
  readonly #facts: TransmissionFacts;
  readonly #form: RequestForm;
  readonly #input: InputWindow;
  readonly #replies: ReplyQueue;
  readonly #wire: Wire;
  readonly #payload: PayloadIntake;
  readonly #read: ReadAnswer;
  readonly #status: StatusAnswer | undefined;
  readonly #command: CommandAnswer;
  readonly #sendThreshold: number;
  /** What is queued is sent when it is so many bytes: the send threshold, or less when the client is idle. */
  #dueBytes: number;
  /** Bytes sent since the last receive. */
  #sentBytes = 0;
  readonly #writeThreshold: number;
  readonly #pace: Pace | undefined;
  /** The request under way. */
  readonly #request = new RequestHeader();
  /** Headers that a look ahead reads. */
  readonly #ahead = new RequestHeader();
  #phase: Phase = Phase.requests;
  /** The step whose report is due. */
  #awaited: StepCode | NoStep = NO_STEP;
  #shuttingDown = false;
  /** Nothing followed the request in doubt. */
  #silent = false;

  /** @throws AssertionFailure if a session cannot be served so: all of this is the owner's to choose */
  constructor(facts: TransmissionFacts, buffers: TransmissionBuffers, options: TransmissionOptions) {
    super();
    checkTransmission(facts, buffers, options);
    const { transferMinimum, sendThreshold, writeThreshold } = options;
    const [request, counters] = [this.#request, this.#counters];
    const exchange: Exchange = { facts, operands: this, request, counters, transferMinimum };
    this.#facts = facts;
    this.#input = new InputWindow(buffers.input);
    const { form, wire, payload, read, status, command } = answersFor(exchange, this.#input, buffers.output);
    this.#form = form;
    this.#wire = wire;
    this.#replies = wire.replies;
    this.#payload = payload;
    this.#read = read;
    this.#status = status;
    this.#command = command;
    this.#sendThreshold = sendThreshold ?? SEND_THRESHOLD_BYTES_DEFAULT;
    this.#dueBytes = this.#sendThreshold;
    this.#writeThreshold = writeThreshold ?? WRITE_THRESHOLD_BYTES_DEFAULT;
    this.#pace = options.pace;
  }

  get counters(): Readonly<TransmissionCounters> {
    return this.#counters;
  }

  /** Bytes received and not used yet, and queued and not sent yet. */
  get bufferedBytes(): number {
    return this.#input.buffered + this.#replies.used;
  }

  /**
   * Whether the receive that was asked for is one between two requests: nothing is half done, queued or unsent, so another
   * machine may go on from here with what {@link undecoded} says.
   */
  get isAtRest(): boolean {
    return this.#awaited === Step.receive && this.#phase === Phase.requests && this.brief === 0;
  }

  /** What was received and is not a whole request yet; a copy. */
  undecoded(): Uint8Array {
    const { bytes, head, tail } = this.#input;
    // Not by slice(): that of a Buffer lends.
    return new Uint8Array(bytes.subarray(head, tail));
  }

  /** Whether the client has shown that its WRITEs have payloads though it does not say so (T1). */
  get assumesPayloads(): boolean {
    return this.#form.assumesPayloads;
  }

  /** What another machine has found out about this client. */
  assumePayloads(): void {
    this.#form.assumePayloads();
  }

  /**
   * Takes bytes that were received before the machine was made.
   *
   * @throws RangeError if they exceed the input buffer
   */
  preload(bytes: Uint8Array): void {
    assert(this.#awaited === NO_STEP, 'bytes are preloaded between steps');
    this.#input.put(bytes);
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

  /**
   * Reports a receive of `count` bytes; 0: the stream ended, or the receive failed.
   *
   * @param waited nothing had come when it was asked for: the client had waited for replies, and the driver then for it.
   *   The first half of the replies is sent early, so that from now on one works while the other does.
   */
  received(count: number, waited = false): void {
    assert(this.#awaited === Step.receive, 'a receive is reported when one was asked for');
    this.#awaited = NO_STEP;
    this.#dueBytes = waited
      ? Math.min(this.#sendThreshold, Math.max(EARLY_SEND_BYTES_MIN, this.#sentBytes / 2))
      : this.#sendThreshold;
    this.#sentBytes = 0;
    if (count > 0) {
      this.#input.append(count);
    } else {
      const betweenRequests = this.#phase === Phase.requests && this.#input.buffered === 0;
      this.#end(betweenRequests ? 'end-of-stream' : 'truncated-request');
    }
  }

  /** Reports that nothing came, to a receive that is `brief`. */
  silent(): void {
    assert(this.#awaited === Step.receive && this.brief === 1, 'silence is reported when it was asked for');
    this.#awaited = NO_STEP;
    this.#silent = true;
  }

  /** Reports that everything was sent. A send that fails ends the session: there is nothing more to ask. */
  sent(): void {
    assert(this.#awaited === Step.send, 'a send is reported when one was asked for');
    this.#awaited = NO_STEP;
    this.#sentBytes += this.#replies.used;
    this.#dueBytes = this.#sendThreshold;
    this.#replies.used = 0;
    this.#payload.writtenUnanswered = 0;
  }

  /** Reports a read, write, flush, trim, zero, cache or extents: 0, or the Linux errno. Short is not done: that is EIO. */
  completed(errno: number): void {
    const step = this.#awaited;
    assert(step >= Step.read && step <= Step.extents, 'an operation is reported when one was asked for');
    this.#awaited = NO_STEP;
    if (this.#phase === Phase.read) this.#settle(this.#read.completed(errno));
    else if (this.#phase === Phase.payload) this.#settle(this.#payload.completed(errno));
    else if (this.#phase === Phase.status) this.#settle(this.#statusAnswer.completed(errno));
    else {
      this.#settle(this.#command.completed(errno));
      if (step === Step.trim || step === Step.zero) this.#read.forget();
    }
  }

  /** Reports a transfer: how many bytes were sent, and 0 if those were all, else the Linux errno. */
  transferred(count: number, errno: number): void {
    assert(this.#awaited === Step.transfer, 'a transfer is reported when one was asked for');
    assert(
      count === this.length || (count < this.length && errno !== 0),
      'a transfer is whole, or has failed',
    );
    this.#awaited = NO_STEP;
    this.#settle(this.#read.transferred(count, errno));
  }

  /** Reports that a wait is over. */
  waited(): void {
    assert(this.#awaited === Step.wait, 'a wait is reported when one was asked for');
    this.#awaited = NO_STEP;
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
    const payloadLength = this.#phase === Phase.payload ? this.#payload.remaining : 0;
    visitQueuedReads(this.#input, payloadLength, this.#form, this.#facts, this.#ahead, true, visit);
  }

  /** As {@link forEachQueuedRead}, up to the first request that is something else than a READ. */
  forEachNextRead(visit: (fileOffset: number, length: number) => void): void {
    if (this.#phase === Phase.payload) return;
    visitQueuedReads(this.#input, 0, this.#form, this.#facts, this.#ahead, false, visit);
  }

  #advance(): StepCode | NoStep {
    switch (this.#phase) {
      case Phase.requests:
        return this.#takeRequest();
      case Phase.payload:
        return this.#follow(this.#payload.advance());
      case Phase.read:
        return this.#follow(this.#read.advance());
      case Phase.status:
        return this.#follow(this.#statusAnswer.advance());
      case Phase.command:
        return this.#follow(this.#command.begin());
      case Phase.closing:
        return this.#replies.used > 0 ? this.#wire.send(0) : Step.close;
    }
  }

  #takeRequest(): StepCode | NoStep {
    const input = this.#input;
    const replies = this.#replies;
    const request = this.#request;
    const form = this.#form;
    // A request is begun only when its answer has room: no error need ever wait.
    if (replies.free < replies.answerBytesMax || this.#repliesAreDue()) return this.#wire.send(0);
    if (input.buffered < form.headerBytes) {
      return this.#wire.receiveRequest(form.headerBytes, this.#payload.mostAhead);
    }
    if (!form.parse(input.view, input.head, request)) return this.#end('bad-magic');
    if (request.type === Command.DISC) return this.#end('disconnect');
    if (form.isInDoubt(request)) {
      const wanted = form.headerBytes + MAGIC_BYTES;
      if (input.buffered < wanted && !this.#silent) return this.#wire.receiveBriefly(wanted);
      if (!this.#silent && !form.begins(input.view, input.head + form.headerBytes)) {
        form.assumePayloads();
        // Taken up again, as a request with a payload.
        return NO_STEP;
      }
      this.#silent = false;
    }

    const error = this.#shuttingDown ? Refusal.shuttingDown : validate(request, this.#facts);
    // The request stays in the input, and is taken up again with the queue empty.
    if (error === undefined && replies.used > 0 && waitsForTheDisk(request)) return this.#wire.send(0);
    const payloadLength = form.payloadLength(request);
    // T1: a payload this long is not even drained.
    if (payloadLength > this.#facts.payloadMaximum) return this.#end('payload-too-large');
    // The last to ask: what it has admitted is begun. What is answered before it is not held back with it.
    if (this.#pace !== undefined && !this.#admits(this.#pace, error, payloadLength)) {
      return replies.used > 0 ? this.#wire.send(0) : Step.wait;
    }
    input.consume(form.headerBytes);
    this.#counters.requests += 1;
    if (error !== undefined || request.type === Command.WRITE) {
      return this.#takePayload(payloadLength, error);
    }
    if (request.type === Command.READ) {
      this.#phase = Phase.read;
      return this.#follow(this.#read.begin());
    }
    if (request.type === Command.BLOCK_STATUS) {
      this.#phase = Phase.status;
      return this.#follow(this.#statusAnswer.begin(payloadLength));
    }
    this.#phase = Phase.command;
    return NO_STEP;
  }

  #admits(pace: Pace, error: ReplyError | undefined, payloadLength: number): boolean {
    if (this.#shuttingDown) return true;
    const { type, length } = this.#request;
    const isServed = error === undefined && (type === Command.READ || type === Command.CACHE);
    return pace.admits(type, isServed ? length : payloadLength);
  }

  /** Takes in a payload; with an `error`, which may come without one, it passes by unused. */
  #takePayload(payloadLength: number, error: ReplyError | undefined): NoStep {
    this.#phase = Phase.payload;
    this.#payload.begin(payloadLength, error);
    return NO_STEP;
  }

  #follow(progress: Progress): StepCode | NoStep {
    if (progress >= 0) return progress as StepCode;
    this.#settle(progress);
    return NO_STEP;
  }

  #settle(progress: Progress): void {
    if (progress === ANSWERED) this.#phase = Phase.requests;
    else if (progress === BROKEN) this.#endAtOnce();
  }

  /** True once enough is queued, or the client has waited for enough work, that a send is worth its cost. */
  #repliesAreDue(): boolean {
    return this.#replies.used >= this.#dueBytes || this.#payload.writtenUnanswered >= this.#writeThreshold;
  }

  /** Asked for only where contexts are selected, which needs chunks. */
  get #statusAnswer(): StatusAnswer {
    assert(this.#status !== undefined, 'simple replies have no block status');
    return this.#status;
  }

  /** Ends the session once what is queued is sent. */
  #end(reason: TransmissionEnd): NoStep {
    this.closeReason = reason;
    this.#phase = Phase.closing;
    return NO_STEP;
  }

  /** T10: "the server MUST immediately initiate a hard disconnect; it MUST NOT send any further data". */
  #endAtOnce(): void {
    assert(this.#replies.used === 0, 'a header that is sent leaves nothing queued');
    this.#counters.errors += 1;
    this.#end('io-error');
  }
}
