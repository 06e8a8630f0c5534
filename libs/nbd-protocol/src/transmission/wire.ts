import type { InputWindow } from './input-window.js';
import type { ReplyQueue } from './reply-queue.js';
import { Step, type StepCode } from './step.js';
import type { StepOperands } from './step-operands.js';

/** What comes from the client and what goes to it; the parts of a machine share one. */
export class Wire {
  readonly input: InputWindow;
  readonly replies: ReplyQueue;
  readonly #operands: StepOperands;

  constructor(input: InputWindow, replies: ReplyQueue, operands: StepOperands) {
    this.input = input;
    this.replies = replies;
    this.#operands = operands;
  }

  /**
   * Awaits input until `wanted` bytes are there; what is queued goes first, for the client may wait for it.
   *
   * @param most bytes to have at once, not less than `wanted`: what lies behind a long payload would only be moved
   */
  receive(wanted: number, most = Infinity): StepCode {
    if (this.replies.used > 0) return this.send(0);
    this.input.makeRoom(wanted, 0);
    return this.#receive(most);
  }

  /**
   * Awaits a request of which `headerBytes` are there before its payload; what comes first is placed so that the payload
   * lies on a page boundary, from where the kernel copies it faster.
   *
   * @param payloadAhead bytes of payload to have at once
   */
  receiveRequest(headerBytes: number, payloadAhead: number): StepCode {
    if (this.replies.used > 0) return this.send(0);
    this.input.makeRoom(headerBytes, headerBytes);
    return this.#receive(headerBytes + payloadAhead);
  }

  #receive(most: number): StepCode {
    const { input } = this;
    this.#operands.inputOffset = input.tail;
    this.#operands.inputLength = Math.min(input.capacity - input.tail, most - input.buffered);
    this.#operands.brief = 0;
    return Step.receive;
  }

  /** Awaits input as {@link receive} does, but not for long: it may never come. */
  receiveBriefly(wanted: number): StepCode {
    const step = this.receive(wanted);
    if (step === Step.receive) this.#operands.brief = 1;
    return step;
  }

  /** Sends what is queued; `more` is 1 when data of the same reply follows at once. */
  send(more: 0 | 1): StepCode {
    this.#operands.outputOffset = 0;
    this.#operands.outputLength = this.replies.used;
    this.#operands.more = more;
    return Step.send;
  }
}
