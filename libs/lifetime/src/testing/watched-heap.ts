import { assert } from '@holdfast/foundation';
import type { Effects, Field } from '../effects.js';
import { formatHandle, type Handle, type Heap, type Slot } from '../interpreter/heap.js';
import { formatField } from '../verifier/value.js';

/** A heap that sees where each handle came from and went to, and breaks off when the verifier has not told of it. */
export class WatchedHeap implements Heap {
  readonly #heap: Heap;
  readonly #told: ReadonlySet<string>;
  readonly #origins = new Map<string, string>();

  constructor(heap: Heap, { stores, moves, uses }: Effects) {
    this.#heap = heap;
    this.#told = new Set([
      ...stores.map(({ allocator, into }) => `${allocator} -> ${formatField(into)}`),
      ...moves.map(({ from, to }) => `${formatField(from)} -> ${formatField(to)}`),
      ...uses.map(formatField),
    ]);
  }

  alloc(allocator: string): Handle | null {
    return this.#from(this.#heap.alloc(allocator), allocator);
  }

  exchange(slot: Slot, handle: Handle | null): Handle | null {
    const field = formatField(slot);
    this.#assertTold(field);
    const origin = handle === null ? field : this.#origins.get(formatHandle(handle));
    if (origin !== field) this.#assertTold(`${origin} -> ${field}`);
    return this.#from(this.#heap.exchange(slot, handle), field);
  }

  free(handle: Handle): void {
    this.#heap.free(handle);
  }

  allocatorOf(field: Field): string | null {
    return this.#heap.allocatorOf(field);
  }

  #from(handle: Handle | null, origin: string): Handle | null {
    if (handle !== null) this.#origins.set(formatHandle(handle), origin);
    return handle;
  }

  #assertTold(row: string): void {
    assert(this.#told.has(row), `the verifier tells of ${row}`);
  }
}
