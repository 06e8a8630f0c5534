/** The words of the soak. The files are plain JavaScript; these types are what their comments refer to. */

/** What one process of holdfast has at one moment. */
export interface Footprint {
  /** Of its own (RssAnon): pages of an image that it sent from are the page cache's. */
  memoryBytes: number;
  descriptors: number;
  threads: number;
}

/** By the name of the service; the supervisor is one of them. */
export type Footprints = Record<string, Footprint>;

/** What the clients did, and what went wrong. */
export interface Tally {
  connects: number;
  cuts: number;
  requests: number;
  verifiedBytes: number;
  writtenBytes: number;
  attaches: number;
  /** A sentence each. Anything here fails the soak. */
  faults: string[];
}

/** What became of one figure of one service. */
export interface Trend {
  service: string;
  figure: keyof Footprint;
  /** Medians of the second and of the last quarter of the samples. */
  second: number;
  last: number;
  /** How much higher the last may be. */
  slack: number;
  isFlat: boolean;
}

export interface Outcome {
  minutes: number;
  laps: number;
  tally: Tally;
  trends: Trend[];
  isFlat: boolean;
}
