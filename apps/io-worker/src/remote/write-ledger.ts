/**
 * Which writes another NBD server has answered and not yet flushed. When a connection to it is lost, nobody can tell whether
 * those are still there: the server may have been restarted, or its machine. It speaks for one connection, or for all where
 * a FLUSH on one does (CAN_MULTI_CONN).
 */
export class WriteLedger {
  #answered = 0;
  #flushed = 0;
  #losses = 0;
  #era = 0;

  /** Rises with every connection that is lost. */
  get era(): number {
    return this.#era;
  }

  /**
   * A write without FUA was answered.
   *
   * @param era in which it was sent; if a connection has been lost since, it is in doubt at once
   */
  answered(era: number): void {
    if (era === this.#era) this.#answered += 1;
    else this.#losses += 1;
  }

  /** How far a FLUSH that is sent now reaches. */
  get mark(): number {
    return this.#answered;
  }

  /** A FLUSH was answered that reaches so far. */
  flushedUpTo(mark: number): void {
    this.#flushed = Math.max(this.#flushed, mark);
  }

  /** A connection was lost: what was not flushed is in doubt, once. */
  connectionLost(): void {
    this.#era += 1;
    if (this.#answered === this.#flushed) return;
    this.#flushed = this.#answered;
    this.#losses += 1;
  }

  /** How often writes came to be in doubt. */
  get losses(): number {
    return this.#losses;
  }
}

/** One session's view of a ledger: every session is told of each loss by one FLUSH that fails, as fsync(2) does it. */
export class FlushDoubt {
  readonly #ledger: WriteLedger;
  #told: number;

  constructor(ledger: WriteLedger) {
    this.#ledger = ledger;
    this.#told = ledger.losses;
  }

  /** Whether a FLUSH must fail because it cannot speak for writes before it; the next may succeed. */
  take(): boolean {
    const isInDoubt = this.#told < this.#ledger.losses;
    this.#told = this.#ledger.losses;
    return isInDoubt;
  }
}
