import type { Field } from '../effects.js';
import type { Row } from './row.js';

export const AllocatorState = {
  /** Programs may be loaded that store its allocations. */
  Active: 'ACTIVE',
  /** Its destruction was asked for and waits until no row names it. */
  Draining: 'DRAINING',
} as const;
export type AllocatorState = (typeof AllocatorState)[keyof typeof AllocatorState];

/** An allocator as it is persisted. */
export interface AllocatorRecord {
  readonly name: string;
  readonly state: AllocatorState;
}

/** Whether all values of a field are null, in all entries of its map. A map that was freed has none. */
export type IsEmpty = (field: Field) => boolean;

/**
 * What an operation reads or writes, by names to lock. Chains are named by one of their fields; `shared` may be held by several
 * at once. Two operations with no conflict in between may be computed, persisted and committed in any order.
 */
export interface Lock {
  readonly name: string;
  readonly mode: 'shared' | 'exclusive';
}

/**
 * What an operation does to the table, as writes that a store applies in one transaction, in this order. Nothing has happened
 * yet: it happens in the store first, then in memory by `commit`.
 */
export interface TableChange {
  /** Fields of a map that is freed: every value left in them is freed before anything below, by this allocator. */
  readonly valuesFreed: readonly { readonly field: Field; readonly allocator: string | undefined }[];
  readonly inserted: readonly Row[];
  /** Rows whose `discardable` is another now. */
  readonly updated: readonly Row[];
  /** All rows of each chain that dissolves. */
  readonly deleted: readonly Row[];
  readonly allocatorsCreated: readonly string[];
  readonly allocatorsDraining: readonly string[];
  /** No row names them any more, and no value of theirs is left. */
  readonly allocatorsDestroyed: readonly string[];
  /** Sorted by name, each once: to be taken in this order. */
  readonly locks: readonly Lock[];
}

/** Why an operation is refused. The table stays as it was. */
export type Rejection =
  | {
      readonly reason: 'two-allocators';
      /** The field at which they meet. */
      readonly field: Field;
      readonly allocators: readonly [string, string];
    }
  | { readonly reason: 'program-loaded'; readonly program: string }
  | { readonly reason: 'too-many-rows'; readonly rows: number; readonly rowsMax: number }
  | { readonly reason: 'allocator-unknown'; readonly allocator: string }
  | { readonly reason: 'allocator-draining'; readonly allocator: string }
  | { readonly reason: 'allocator-exists'; readonly allocator: string };

export type Outcome =
  | { readonly accepted: true; readonly change: TableChange }
  | { readonly accepted: false; readonly rejection: Rejection };

export function rejected(rejection: Rejection): Outcome {
  return { accepted: false, rejection };
}
