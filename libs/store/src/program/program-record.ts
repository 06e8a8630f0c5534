import type { ChunkWrites } from '../allocator/chunk-writes.js';

/** A program that was verified. */
export interface ProgramDefinition {
  readonly name: string;
  /** Its text, as it was given. */
  readonly source: string;
  /** What the verifier said. */
  readonly log: string;
  readonly createTime: Date;
}

export interface ProgramRecord extends ProgramDefinition {
  /** No other program ever has it. */
  readonly number: bigint;
}

/** `S`: an allocation is stored into the field. `E`: values move from the field to the other. `U`: it is used. */
export const rowKinds = ['S', 'E', 'U'] as const;

export type RowKind = (typeof rowKinds)[number];

/** A field of a map, by the number that no other map has. 0n: the registers of the program. */
export interface FieldColumns {
  readonly mapNumber: bigint;
  readonly field: string;
}

/** A row of the dependency table, as it is written. */
export interface RowDefinition extends FieldColumns {
  /** What it says, in names: the same for no two rows. */
  readonly key: string;
  readonly kind: RowKind;
  /** Of kind `E`. */
  readonly other?: FieldColumns;
  /** Of kind `S`. */
  readonly allocatorNumber?: bigint;
}

export interface RowRecord {
  readonly key: string;
  readonly programNumber: bigint;
  readonly mapNumber: bigint;
  readonly discardable: boolean;
}

/** A change of the dependency table, with all that goes with it: all of it happens, or nothing does. */
export interface TableWrite {
  /** The program whose rows are written. */
  readonly load?: ProgramDefinition;
  /** The program, by its name, that is loaded no more. */
  readonly unload?: string;
  readonly inserted: readonly RowDefinition[];
  /** Rows of an earlier time that the program was loaded: they are in use again. */
  readonly revived: readonly RowDefinition[];
  /** Keys of rows whose program is unloaded. */
  readonly discarded: readonly string[];
  /** Keys of rows that go. */
  readonly deleted: readonly string[];
  /** Numbers of the allocators whose device is reserved: they hand out chunks from now on. */
  readonly activated: readonly bigint[];
  readonly draining: readonly bigint[];
  /** Nothing names them any more. */
  readonly destroyed: readonly bigint[];
  /** The map that goes, after its last values. */
  readonly freedMap?: bigint;
  /** Values that are freed first. */
  readonly chunks?: ChunkWrites;
  /** What was asked, seen and decided, as JSON: enough to replay. */
  readonly trail: string;
}
