/** What the sessions of an account may take together, on average. */
export interface RateLimit {
  /** Requests a second; 0: no limit. */
  readonly iops: number;
  /** Bytes a second; 0: no limit. */
  readonly bytesPerSecond: number;
  /** For how long unused rate is saved, in milliseconds. */
  readonly burstMs: number;
}

export const NO_LIMIT: RateLimit = { iops: 0, bytesPerSecond: 0, burstMs: 0 };
