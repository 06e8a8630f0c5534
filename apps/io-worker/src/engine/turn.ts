import type { Pace } from '@holdfast/nbd-protocol';

/**
 * Requests that a session of the event loop is served before the others get their turn: with reads of 4 KiB a quarter of a
 * millisecond. A session with more in its input waits for all others once in so many, which costs it little.
 */
export const TURN_REQUESTS = 64;

/** The same in bytes: the copies of larger requests take longer. */
export const TURN_BYTES = 256 * 1024;

/** Bounds what one session does on the event loop while others wait. */
export class Turn implements Pace {
  readonly #pace: Pace;
  #requests = 0;
  #bytes = 0;

  /** @param pace is asked as long as the turn lasts */
  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** The others are to be served before this session goes on. */
  get isOver(): boolean {
    return this.#requests >= TURN_REQUESTS || this.#bytes >= TURN_BYTES;
  }

  /** The others have been served. */
  begin(): void {
    this.#requests = 0;
    this.#bytes = 0;
  }

  admits(type: number, bytes: number): boolean {
    if (this.isOver || !this.#pace.admits(type, bytes)) return false;
    this.#requests += 1;
    this.#bytes += bytes;
    return true;
  }
}
