/** A part of a source. */
export interface SourceExtent {
  /** Bytes from the start. */
  readonly offset: bigint;
  /** Bytes; at least 1. */
  readonly length: bigint;
  /** It reads as zeroes, and need not be read. */
  readonly isZero: boolean;
}

/** What both ends of a copy tell about themselves. */
export interface CopyEnd {
  /** As the user named it. */
  readonly name: string;
  /** Requests begin and end at multiples of it, but for the end of the source. */
  readonly blockBytes: number;
  /** Longest READ or WRITE. */
  readonly transferBytesMax: number;
  /** Connections, 1 for a file. A request says by number, from 0 on, which it goes by. */
  readonly connections: number;
  /** Lets go of it once nothing is under way; nothing is flushed. It does not fail. */
  readonly close: () => Promise<void>;
  /** Lets go of it at once: what is under way fails, or ends with the process. */
  readonly abandon: () => void;
}

export interface CopySource extends CopyEnd {
  readonly sizeBytes: bigint;
  /** Consecutive extents that cover the range. */
  readonly extents: (offset: bigint, length: bigint) => AsyncIterable<SourceExtent>;
  /** Fills `target`, lent until the promise settles. */
  readonly read: (target: Buffer, offset: bigint, connection: number) => Promise<void>;
}

export interface CopyDestination extends CopyEnd {
  /** All of it reads as zeroes, so that zeroes need not be written. */
  readonly readsAsZeroes: boolean;
  /** Writes `data`, lent until the promise settles. */
  readonly write: (data: Buffer, offset: bigint, connection: number) => Promise<void>;
  /** Makes a range read as zeroes, without storage where that is possible. */
  readonly writeZeroes: (offset: bigint, length: bigint, connection: number) => Promise<void>;
  /** Resolves once all that was written before is on stable storage. */
  readonly flush: () => Promise<void>;
}
