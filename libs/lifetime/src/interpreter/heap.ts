import type { Field } from '../effects.js';

/** An object, with the owner tag that it carries wherever it is (C11). Equal are those of equal members. */
export interface Handle {
  readonly allocator: string;
  /** Number of the object within its allocator, a safe integer. */
  readonly object: number;
}

/** One field of one entry of a map. */
export interface Slot extends Field {
  readonly index: number;
}

/** What a run acts on. Its owner decides when that becomes true for others. */
export interface Heap {
  /** @returns null when the allocator is full */
  alloc(allocator: string): Handle | null;
  /** Puts a handle, or null, into a slot. @returns what was in it */
  exchange(slot: Slot, handle: Handle | null): Handle | null;
  free(handle: Handle): void;
  /** The allocator of the class of a field, as the table says; null while that is a placeholder. */
  allocatorOf(field: Field): string | null;
}

export function sameHandle(one: Handle | null, other: Handle | null): boolean {
  if (one === null || other === null) return one === other;
  return one.allocator === other.allocator && one.object === other.object;
}

/** `pool#17`. */
export function formatHandle({ allocator, object }: Handle): string {
  return `${allocator}#${object}`;
}
