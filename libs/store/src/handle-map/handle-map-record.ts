/** What the user says of a map; it never changes. */
export interface HandleMapDefinition {
  /** Last segment of `maps/{map}`; checked by `checkResourceId`. */
  readonly name: string;
  /** How many entries it has. */
  readonly entries: number;
  /** Names of the fields that each entry has, in the order in which they were given. */
  readonly fields: readonly string[];
}

export interface HandleMapRecord extends HandleMapDefinition {
  /** No other map ever has it. */
  readonly number: bigint;
  readonly createTime: Date;
  /** Rises before each change of what it holds, once clients are served it; 0n: they never were. */
  readonly epoch: bigint;
}

/** Where a map keeps a handle. */
export interface Slot {
  readonly mapNumber: bigint;
  readonly field: string;
  readonly entry: number;
}

/** A handle that is kept: the chunk, and the owner tag of the allocator that it is of (C11). */
export interface ValueRecord extends Slot {
  readonly allocatorNumber: bigint;
  readonly chunk: number;
  readonly generation: number;
}
