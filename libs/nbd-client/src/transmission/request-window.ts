import { assert } from '@holdfast/foundation';
import type { RequestsInFlight } from './reply-machine.js';
import type { IncomingReply } from './replies/incoming-reply.js';
import type { WireRequest } from './request.js';

/** A request that waits for its turn, or for its reply. */
export interface SubmittedRequest {
  readonly cookie: number;
  readonly request: WireRequest;
  readonly reply: IncomingReply;
  /** Called once the payload has left our memory: the stream keeps no view of it any more. */
  readonly onFlushed: (() => void) | undefined;
}

/**
 * The requests of one connection: those in flight, at most as many as allowed, and those that wait for a place, in the
 * order in which they came.
 */
export class RequestWindow implements RequestsInFlight {
  readonly #inFlightMax: number;
  readonly #inFlight = new Map<number, SubmittedRequest>();
  readonly #waiting: SubmittedRequest[] = [];
  #wasToldShutdown = false;

  constructor(inFlightMax: number) {
    assert(Number.isInteger(inFlightMax) && inFlightMax >= 1, 'at least one request is in flight');
    this.#inFlightMax = inFlightMax;
  }

  /** How many requests were sent and not answered. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** How many requests there are, sent or not. */
  get size(): number {
    return this.#inFlight.size + this.#waiting.length;
  }

  add(submitted: SubmittedRequest): void {
    this.#waiting.push(submitted);
  }

  /** @returns the next request to send, which is in flight from now on; undefined if none may be sent */
  next(): SubmittedRequest | undefined {
    if (this.#inFlight.size >= this.#inFlightMax) return undefined;
    const submitted = this.#waiting.shift();
    if (submitted !== undefined) this.#inFlight.set(submitted.cookie, submitted);
    return submitted;
  }

  readonly find = (cookie: number): IncomingReply | undefined => this.#inFlight.get(cookie)?.reply;

  readonly done = (cookie: number): void => {
    const reply = this.#inFlight.get(cookie)?.reply;
    if (reply?.saysShutdown === true) this.#wasToldShutdown = true;
    this.#inFlight.delete(cookie);
  };

  /** Whether a reply said that the server is being shut down. */
  get wasToldShutdown(): boolean {
    return this.#wasToldShutdown;
  }

  /** Fails the requests that were not sent. */
  failWaiting(error: unknown): void {
    for (const { reply } of this.#waiting.splice(0)) reply.fail(error);
  }

  /** Fails all requests. */
  failAll(error: unknown): void {
    const inFlight = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const { reply } of inFlight) reply.fail(error);
    this.failWaiting(error);
  }
}
