/** What the user says of an export; it never changes while the export exists. */
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
}

/** A published export. */
export interface ExportRecord extends ExportDefinition {
  readonly createTime: Date;
}
