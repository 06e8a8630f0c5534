import { Command, type Pace } from '@holdfast/nbd-protocol';
import { CACHE_BYTES_MAX } from '../engine/cache-limits.js';
import { WAIT_MS_MAX } from './limits.js';
import { SharedLimit } from './shared-limit.js';

const NANOS_PER_MS = 1e6;

/** Holds one session to a limit that it shares with others. Runs on the thread that serves the session. */
export class Throttle implements Pace {
  readonly #limit: SharedLimit;
  readonly #now: () => bigint;
  /** The setting under which the next request has been taken; 0: it has not. */
  #taken = 0;
  /** When it may begin. */
  #start = 0n;
  #waived = false;
  #hurried = false;

  /** @param now a clock in nanoseconds, the same for all who share the limit; CLOCK_MONOTONIC unless given */
  constructor(limit = new SharedLimit(), now: () => bigint = process.hrtime.bigint.bind(process.hrtime)) {
    this.#limit = limit;
    this.#now = now;
  }

  admits(type: number, bytes: number): boolean {
    const { generation } = this.#limit;
    return generation === 0 ? this.#begin() : this.#admitsUnder(generation, type, bytes);
  }

  /** How long to wait before the next try, in milliseconds. */
  get waitMs(): number {
    return Math.min(WAIT_MS_MAX, Math.max(0, Number(this.#start - this.#now()) / NANOS_PER_MS));
  }

  /**
   * Nobody waits for answers any more: what was sent before is done without a wait, and its account owes it. It is little,
   * and its session keeps the device until it is done.
   */
  waive(): void {
    this.#waived = true;
  }

  /** Lets the next request begin at once, on the account: its session is to come to rest. */
  hurry(): void {
    this.#hurried = true;
  }

  #admitsUnder(generation: number, type: number, bytes: number): boolean {
    const now = this.#now();
    // What was taken before a change is taken anew: the wait for it may be that of another rate.
    if (this.#taken !== generation) {
      const counted = type === Command.CACHE ? Math.min(bytes, CACHE_BYTES_MAX) : bytes;
      this.#start = this.#limit.take(generation, counted, now);
      this.#taken = generation;
    }
    return (this.#waived || this.#hurried || this.#start <= now) && this.#begin();
  }

  #begin(): true {
    this.#taken = 0;
    this.#hurried = false;
    return true;
  }
}
