import { assert } from '@holdfast/foundation';
import type { Field } from '../effects.js';
import { formatHandle, sameHandle, type Handle, type Heap, type Slot } from './heap.js';

/** What is true before a run. It stays as it is while the run lasts, but for what is reserved. */
export interface HeapState {
  /** Sets an object aside, so that nobody else gets it. @returns null when the allocator is full */
  reserve(allocator: string): Handle | null;
  /** At once: whoever keeps slots in a database reads those of the program's maps before the run. */
  read(slot: Slot): Handle | null;
  /** As {@link Heap.allocatorOf}. */
  allocatorOf(field: Field): string | null;
}

/** A slot that a run has changed: the value before the run, for a comparison, and the one after. */
export interface SlotChange {
  readonly slot: Slot;
  readonly before: Handle | null;
  readonly after: Handle | null;
}

/** All that a run that finished has changed: to be made true in one transaction, or not at all. */
export interface Journal {
  readonly slots: readonly SlotChange[];
  /** Objects that were reserved, and are in a slot now. */
  readonly allocated: readonly Handle[];
  /** Objects that were in a slot before, and are in none now. */
  readonly freed: readonly Handle[];
}

/**
 * A heap on which a run leaves nothing behind until its {@link Journal} is applied. Of a run that faulted, nothing is kept:
 * only what was {@link reserved} is given back. What a run frees is at its allocator again once the journal is applied.
 */
export class BufferedHeap implements Heap {
  readonly #state: HeapState;
  readonly #slots = new Map<
    string,
    { readonly slot: Slot; readonly before: Handle | null; after: Handle | null }
  >();
  readonly #reserved = new Map<string, Handle>();
  /** Reserved, handed out and freed in this run: they are handed out again. */
  readonly #spare = new Map<string, Map<string, Handle>>();
  readonly #freed = new Map<string, Handle>();

  constructor(state: HeapState) {
    this.#state = state;
  }

  alloc(allocator: string): Handle | null {
    const spare = this.#spare.get(allocator);
    const again = spare?.entries().next().value;
    if (again !== undefined) {
      spare?.delete(again[0]);
      return again[1];
    }
    const handle = this.#state.reserve(allocator);
    if (handle !== null) this.#reserved.set(formatHandle(handle), handle);
    return handle;
  }

  exchange(slot: Slot, handle: Handle | null): Handle | null {
    const key = `${slot.map}[${slot.index}].${slot.field}`;
    let entry = this.#slots.get(key);
    if (entry === undefined) {
      const before = this.#state.read(slot);
      entry = { slot, before, after: before };
      this.#slots.set(key, entry);
    }
    const taken = entry.after;
    entry.after = handle;
    return taken;
  }

  free(handle: Handle): void {
    const name = formatHandle(handle);
    const spare = this.#spare.get(handle.allocator) ?? new Map<string, Handle>();
    assert(!this.#freed.has(name) && !spare.has(name), `${name} is freed once`);
    if (!this.#reserved.has(name)) this.#freed.set(name, handle);
    else this.#spare.set(handle.allocator, spare.set(name, handle));
  }

  allocatorOf(field: Field): string | null {
    return this.#state.allocatorOf(field);
  }

  /** Everything that the state was asked to reserve. */
  get reserved(): readonly Handle[] {
    return [...this.#reserved.values()];
  }

  /** Reserved, and not needed in the end: to be given back with the commit. */
  get spare(): readonly Handle[] {
    return [...this.#spare.values()].flatMap((spare) => [...spare.values()]);
  }

  /** What a run that finished has changed; where it put back what it took, nothing. */
  get journal(): Journal {
    const spare = new Set(this.spare.map(formatHandle));
    return {
      slots: [...this.#slots.values()].filter(({ before, after }) => !sameHandle(before, after)),
      allocated: this.reserved.filter((handle) => !spare.has(formatHandle(handle))),
      freed: [...this.#freed.values()],
    };
  }
}
