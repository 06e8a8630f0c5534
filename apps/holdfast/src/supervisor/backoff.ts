const FIRST_MS = 100;
const MAX_MS = 10_000;
/** A service that ran this long has recovered. */
const RECOVERED_MS = 30_000;

/** How long to wait before a service that died is started again: doubling, until it has run for a while. */
export class Backoff {
  #nextMs = FIRST_MS;

  /** @param ranMs how long the service ran before it died */
  delayMs(ranMs: number): number {
    if (ranMs >= RECOVERED_MS) this.#nextMs = FIRST_MS;
    const delay = this.#nextMs;
    this.#nextMs = Math.min(MAX_MS, delay * 2);
    return delay;
  }
}
