/** Receives that are tried without waiting before the thread sleeps: a client's next request is often microseconds away. */
const SPINS_MAX = 100;

/** As many vain waits in a row say that this client is not so fast. */
const VAIN_WAITS = 8;

/** A client that was slow may be fast later: one wait of so many tries again. */
const WAITS_A_TRY = 32;

/**
 * How long a session's thread looks for its next request before it sleeps: as long as that has paid lately. To look in vain
 * costs as much processor time as several requests.
 */
export class Spin {
  /** Waits since one was over before the thread slept. */
  #vain = 0;
  #waited = false;

  /** Receives to try before sleeping, at least one. */
  get tries(): number {
    return this.#vain < VAIN_WAITS || this.#vain % WAITS_A_TRY === 0 ? SPINS_MAX : 1;
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

  /** The thread had to sleep. */
  inVain(): void {
    this.#vain += 1;
    this.#waited = true;
  }
}
