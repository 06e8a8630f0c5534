/** How far a copy is. Bytes. */
export interface Progress {
  /** Copied so far, with what lies before the start of a resumed copy. */
  readonly copied: bigint;
  readonly total: bigint;
  /** Everything before it is on stable storage at the destination: a copy may be resumed from here. */
  readonly resumeFrom: bigint;
}

/** What a copy has done. */
export class Tally {
  /** Bytes written as data. */
  data = 0n;
  /** Bytes that were zeroes, written as such or there already. */
  zeroes = 0n;
  /** Everything before it is on stable storage. */
  durable: bigint;

  constructor(
    readonly from: bigint,
    readonly total: bigint,
  ) {
    this.durable = from;
  }

  get progress(): Progress {
    return { copied: this.from + this.data + this.zeroes, total: this.total, resumeFrom: this.durable };
  }
}
