/** Constraints on the requests of an export's clients (NBD specification, "Block size constraints"). */
export interface ExportBlockSize {
  /** In bytes, like the two that follow; checked by the caller. */
  readonly minimum: number;
  readonly preferred: number;
  readonly payloadMaximum: number;
  /** Clients that do not ask for the sizes are turned away. */
  readonly required: boolean;
}

/**
 * Who may write to the device of an export at once: anybody, the connections of one client, or one connection, beside
 * which nobody reads either.
 */
export const writerLimits = ['ANY', 'ONE_CLIENT', 'ONE_CONNECTION'] as const;

export type WriterLimit = (typeof writerLimits)[number];

/** What all sessions of an export may take together. */
export interface ExportRateLimit {
  /** Requests a second; 0: no limit. */
  readonly iops: number;
  /** Bytes a second; 0: no limit. */
  readonly bytesPerSecond: bigint;
  /** For how long unused rate is saved, in whole milliseconds, above 0. */
  readonly burstMs: number;
}

/** The chunks that an export publishes in place of a whole device, by the last segments of the names. */
export interface ExportChunks {
  readonly map: string;
  readonly field: string;
  readonly allocator: string;
}

/** What the user says of an export; but for the rate limit it never changes while the export exists. */
export interface ExportDefinition {
  /** Last segment of `exports/{export}`, the NBD export name; checked by `checkResourceId`. */
  readonly id: string;
  readonly deviceId: string;
  /** Clients may only read, even where the device could be written. */
  readonly readOnly: boolean;
  /** Shown to clients that ask for it; at most 4096 bytes, checked by the caller. */
  readonly description: string;
  /** Withdrawn at the next start of `holdfast serve` unless given again. */
  readonly transient: boolean;
  /** Left out of the answer to LIST. */
  readonly hidden: boolean;
  /** Served through TLS only. */
  readonly tlsRequired: boolean;
  /** Who may use it, one rule each, without line ends; whoever can connect if there is none. */
  readonly allowedClients: readonly string[];
  /** Sessions at once; 0: as many as the setting of the gateway allows. */
  readonly connectionsMax: number;
  /** Sessions at once of one client; 0: as many as the export may have. */
  readonly clientConnectionsMax: number;
  readonly writers: WriterLimit;
  readonly blockSize: ExportBlockSize;
  readonly rateLimit: ExportRateLimit;
  /** The chunks that are published, of which `deviceId` is the device; absent: the device is. */
  readonly chunks?: ExportChunks;
}

/** A published export. */
export interface ExportRecord extends ExportDefinition {
  readonly createTime: Date;
  /** How often the rate limit was changed. */
  readonly rateRevision: number;
}
