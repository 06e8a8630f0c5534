const FIRST_MS = 100;
const MAX_MS = 10_000;
/** Deaths that are nobody's pattern yet: each is followed by the first pause. */
const BURST = 5;
/** A service that runs this long makes up for one death. */
const FORGIVEN_MS = 1_000;
/** More than this many pauses do not get longer, and need not be made up for. */
const DEATHS_MAX = BURST + Math.ceil(Math.log2(MAX_MS / FIRST_MS));

/** How long to wait before a service that died is started again: longer with each death, unless it runs in between. */
export class Backoff {
  #deaths = 0;

  /** @param ranMs how long the service ran before it died */
  delayMs(ranMs: number): number {
    const remembered = Math.max(0, this.#deaths - ranMs / FORGIVEN_MS);
    this.#deaths = Math.min(DEATHS_MAX, remembered + 1);
    return Math.min(MAX_MS, FIRST_MS * 2 ** Math.max(0, Math.ceil(this.#deaths - BURST)));
  }
}
