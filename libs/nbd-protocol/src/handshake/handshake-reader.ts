import { assert } from '@holdfast/foundation';
import { ByteQueue } from './byte-queue.js';
import type { HandshakeFacts } from './handshake-facts.js';
import type { HandshakeLimits, HandshakeRequest } from './handshake-request.js';
import { type HandshakeState, transition } from './handshake-state.js';
import { skipped, step } from './handshake-step.js';

/** Where a handshake stands, what it knows, and what it has not read yet. Its bytes are bounded (N10). */
export class HandshakeReader {
  readonly #limits: HandshakeLimits;
  readonly #input = new ByteQueue();
  #state: HandshakeState = { phase: 'client-flags' };
  #facts: HandshakeFacts;
  #bytesSeen = 0;

  constructor(facts: HandshakeFacts, limits: HandshakeLimits) {
    this.#facts = facts;
    this.#limits = limits;
  }

  get state(): HandshakeState {
    return this.#state;
  }

  get facts(): HandshakeFacts {
    return this.#facts;
  }

  /** Bytes pushed and not used yet. */
  get bufferedBytes(): number {
    return this.#input.length;
  }

  /** Takes what the client sent; keeps its own copy of what is not dropped. */
  push(chunk: Uint8Array): void {
    const state = this.#state;
    assert(state.phase !== 'transmission', 'a handshake that is over takes no bytes');
    if (state.phase === 'closed' || state.phase === 'securing') return;
    this.#bytesSeen += chunk.length;
    if (this.#bytesSeen > this.#limits.totalBytesMax) {
      this.goOn(transition(state, { phase: 'closed', reason: 'total-bytes-limit' }));
    } else if (state.phase === 'skipping') {
      const count = Math.min(chunk.length, state.remainingBytes);
      this.#state = skipped(state, count);
      this.#input.push(chunk.subarray(count));
    } else {
      this.#input.push(chunk);
    }
  }

  /** Reads until there is something for the owner to do. */
  next(): HandshakeRequest {
    for (;;) {
      const standing = { state: this.#state, facts: this.#facts };
      const { state, facts, request } = step(standing, this.#input, this.#limits);
      this.goOn(state, facts);
      if (request !== undefined) return request;
    }
  }

  /** Goes on from there. */
  goOn(state: HandshakeState, facts: HandshakeFacts = this.#facts): void {
    this.#state = state;
    this.#facts = facts;
    // N7: whoever put plaintext behind a STARTTLS wanted it to be read as if it had come through TLS.
    if (state.phase === 'closed' || state.phase === 'securing') this.#input.clear();
  }

  /** What nobody has read, in memory of its own. */
  takeRest(): Uint8Array {
    return new Uint8Array(this.#input.take(this.#input.length));
  }
}
