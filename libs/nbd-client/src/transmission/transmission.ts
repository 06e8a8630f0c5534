import type { Duplex } from 'node:stream';
import { HoldfastError } from '@holdfast/foundation';
import { Command, type ReplyMode } from '@holdfast/nbd-protocol';
import { NbdConnectionClosedError, NbdConnectionLostError } from '../errors/connection-errors.js';
import { GOODBYE_MS } from '../limits.js';
import type { ReceiveMemory } from '../ownership/receive-memory.js';
import { ReplyMachine } from './reply-machine.js';
import type { IncomingReply } from './replies/incoming-reply.js';
import { encodeRequestHeader, type WireRequest } from './request.js';
import { RequestWindow, type SubmittedRequest } from './request-window.js';
import { transition, type TransmissionState } from './transmission-state.js';

export interface TransmissionSetup {
  readonly stream: Duplex;
  /** Received already, behind the handshake. */
  readonly remainder: Uint8Array;
  readonly replyMode: ReplyMode;
  /** Requests in flight at most; more wait for a place. */
  readonly inFlightMax: number;
  readonly receive: ReceiveMemory;
}

/** Requests and replies on a stream: sends what fits, hands received bytes to the reply machine, and ends exactly once. */
export class Transmission {
  /** Resolves when the connection has ended; with the reason, unless that is a goodbye of ours. */
  readonly closed: Promise<HoldfastError | undefined>;
  readonly #setup: TransmissionSetup;
  readonly #window: RequestWindow;
  readonly #machine: ReplyMachine;
  #resolveClosed: (reason: HoldfastError | undefined) => void = () => undefined;
  #state: TransmissionState = { phase: 'open' };
  #lastCookie = 0;
  /** The stream has all that it wants to hold. */
  #isFull = false;
  #isCorked = false;
  #goodbyeTimer: NodeJS.Timeout | undefined;

  constructor(setup: TransmissionSetup) {
    this.#setup = setup;
    this.#window = new RequestWindow(setup.inFlightMax);
    this.#machine = new ReplyMachine(setup.replyMode, this.#window);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    setup.stream
      .on('data', this.#onData)
      .on('drain', this.#onDrain)
      .on('end', this.#onEnd)
      .on('close', this.#onEnd)
      .on('error', this.#onError);
    if (setup.remainder.length > 0) this.#onData(setup.remainder);
    // The handshake has paused it.
    setup.stream.resume();
  }

  /** How many requests were sent and not answered. */
  get inFlight(): number {
    return this.#window.inFlight;
  }

  /** @throws HoldfastError unless requests are taken: a broken protocol by its own name, else NBD_CONNECTION_CLOSED */
  assertOpen(): void {
    if (this.#state.phase === 'open') return;
    throw this.#state.phase === 'closed' && this.#state.reason !== undefined
      ? this.#state.reason
      : new NbdConnectionClosedError();
  }

  /** Takes a request, to be sent when there is a place. It cannot fail: what can fail is done before. */
  submit(request: WireRequest, reply: IncomingReply, onFlushed?: () => void): number {
    this.#lastCookie += 1;
    this.#window.add({ cookie: this.#lastCookie, request, reply, onFlushed });
    this.#pump();
    return this.#lastCookie;
  }

  /** Finishes what was submitted, says goodbye (DISC), and waits for the server to close, for a bounded time. */
  async disconnect(): Promise<void> {
    this.#drain();
    await this.closed;
  }

  /** Ends the connection at once; requests fail with the reason. */
  end(reason: HoldfastError | undefined): void {
    if (this.#state.phase === 'closed') return;
    this.#state = transition(this.#state, { phase: 'closed', reason });
    clearTimeout(this.#goodbyeTimer);
    // First of all, so that nothing more is sent of memory that its owners get back by the errors.
    this.#setup.stream.destroy();
    this.#window.failAll(reason ?? new NbdConnectionClosedError());
    this.#resolveClosed(reason);
  }

  #pump(): void {
    for (;;) {
      if (this.#isFull || this.#state.phase === 'goodbye' || this.#state.phase === 'closed') return;
      const submitted = this.#window.next();
      if (submitted === undefined) break;
      this.#send(submitted);
    }
    if (this.#state.phase === 'draining' && this.#window.size === 0) this.#sayGoodbye();
  }

  #send({ cookie, request, onFlushed }: SubmittedRequest): void {
    const { stream, replyMode } = this.#setup;
    this.#cork();
    const header = encodeRequestHeader(replyMode, cookie, request);
    let hasRoom: boolean;
    if (request.payload === undefined) {
      hasRoom = stream.write(header);
    } else {
      stream.write(header);
      hasRoom = stream.write(request.payload, () => onFlushed?.());
    }
    this.#isFull = !hasRoom;
  }

  /** What is sent in one turn of the event loop goes out together. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#setup.stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#setup.stream.uncork();
    });
  }

  #drain(): void {
    if (this.#state.phase !== 'open') return;
    this.#state = transition(this.#state, { phase: 'draining' });
    this.#pump();
  }

  #sayGoodbye(): void {
    const { stream, replyMode } = this.#setup;
    this.#state = transition(this.#state, { phase: 'goodbye' });
    const request = { type: Command.DISC, flags: 0, offset: 0n, length: 0n, payload: undefined };
    // "A client MUST NOT send anything to the server after sending an NBD_CMD_DISC command."
    stream.end(encodeRequestHeader(replyMode, this.#lastCookie + 1, request));
    this.#goodbyeTimer = setTimeout(() => {
      this.end(undefined);
    }, GOODBYE_MS);
  }

  readonly #onData = (received: Uint8Array): void => {
    if (this.#state.phase === 'goodbye' || this.#state.phase === 'closed') return;
    try {
      this.#setup.receive(received, (bytes) => {
        this.#machine.push(bytes);
      });
    } catch (error) {
      this.end(asHoldfastError(error));
      return;
    }
    if (this.#window.wasToldShutdown) this.#obeyShutdown();
    this.#pump();
  };

  /** "If the client receives an NBD_ESHUTDOWN error it MUST initiate a soft disconnect." */
  #obeyShutdown(): void {
    this.#window.failWaiting(new NbdConnectionClosedError());
    this.#drain();
  }

  readonly #onDrain = (): void => {
    this.#isFull = false;
    this.#pump();
  };

  readonly #onEnd = (): void => {
    const { phase } = this.#state;
    this.end(phase === 'goodbye' ? undefined : new NbdConnectionLostError(this.#withWhat()));
  };

  readonly #onError = (error: Error): void => {
    // After a goodbye the server may close as it likes.
    const { phase } = this.#state;
    this.end(phase === 'goodbye' ? undefined : new NbdConnectionLostError(this.#withWhat(), error));
  };

  #withWhat(): string {
    return `with ${String(this.#window.size)} requests unanswered`;
  }
}

function asHoldfastError(error: unknown): HoldfastError {
  return error instanceof HoldfastError
    ? error
    : new HoldfastError('INTERNAL', 'the transmission failed by a bug of this client', {}, error);
}
