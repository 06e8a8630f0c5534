import { availableParallelism } from 'node:os';
import type { AwakeThreads } from './awake-threads.js';

/** Receives that are tried without waiting before the thread sleeps: a client's next request is often microseconds away. */
const SPINS_MAX = 100;

/** The same while others want the cores: what is there soon. */
const SPINS_AMONG_OTHERS = 10;

/** As many vain waits in a row say that this client is not so fast. */
const VAIN_WAITS = 8;

/** A client that was slow may be fast later: one wait of so many tries again. */
const WAITS_A_TRY = 32;

/** One core is the clients', or the kernel's who carries for them. */
const OWN_CORES = Math.max(1, availableParallelism() - 1);

/**
 * How long a session's thread looks for its next request before it sleeps: as long as that has paid lately. To look in vain
 * costs as much processor time as several requests.
 */
export class Spin {
  readonly #threads: AwakeThreads;
  readonly #cores: number;
  /** Waits since one was over before the thread slept. */
  #vain = 0;
  #waited = false;

  /** @param cores for as many threads to look at once */
  constructor(threads: AwakeThreads, cores = OWN_CORES) {
    this.#threads = threads;
    this.#cores = cores;
  }

  /** Receives to try before sleeping, at least one. */
  get tries(): number {
    if (this.#vain >= VAIN_WAITS && this.#vain % WAITS_A_TRY !== 0) return 1;
    return this.#threads.count > this.#cores ? SPINS_AMONG_OTHERS : SPINS_MAX;
  }

  /** Whether nothing had come at the first look of the last wait. */
  get waited(): boolean {
    return this.#waited;
  }

  /** Something came before the thread slept. @param atOnce at the first look */
  paid(atOnce: boolean): void {
    this.#vain = 0;
    this.#waited = !atOnce;
  }

  /** The thread goes to sleep. */
  sleep(): void {
    this.#vain += 1;
    this.#waited = true;
    this.#threads.sleep();
  }

  /** It has woken. */
  wake(): void {
    this.#threads.wake();
  }
}
