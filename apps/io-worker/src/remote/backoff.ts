import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS } from './limits.js';

/**
 * Pauses between attempts to connect: each twice the one before, up to a maximum, and of a random length between half of
 * that and all of it, so that the sessions of a server that went away do not come back to it in step.
 */
export class Backoff {
  readonly #random: () => number;
  #nextMs = BACKOFF_FIRST_MS;

  /** @param random from 0 up to, and without, 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The next pause, milliseconds. */
  next(): number {
    const pauseMs = this.#nextMs * (0.5 + this.#random() / 2);
    this.#nextMs = Math.min(BACKOFF_MAX_MS, this.#nextMs * 2);
    return pauseMs;
  }

  /** The server has served a request: that is worth more than a connection. */
  reset(): void {
    this.#nextMs = BACKOFF_FIRST_MS;
  }
}
