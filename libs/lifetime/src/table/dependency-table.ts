import { assert } from '@holdfast/foundation';
import type { Effects, Field } from '../effects.js';
import { whyAlive, whyBound, whyMap, type Explanation } from '../explain/explain.js';
import {
  rejected,
  type AllocatorRecord,
  type AllocatorState,
  type IsEmpty,
  type Lock,
  type Outcome,
  type TableChange,
} from './change.js';
import { viewOf, type ChainView } from './chain-view.js';
import { Footprint, type Draft } from './draft.js';
import { draftLoad } from './load.js';
import { draftDestroyAllocator, draftFreeMap, draftUnload } from './release.js';
import type { Row } from './row.js';
import { TableState, type Basis } from './table-state.js';

/** What is persisted. The table in memory is derived from it. */
export interface TableRecords {
  readonly allocators: Iterable<AllocatorRecord>;
  readonly rows: Iterable<Row>;
}

/**
 * Which allocator the values of which fields come from, by whose programs, and until when. Operations compute a
 * {@link TableChange} and change nothing; the change is persisted, and then committed. One that could not be persisted is dropped.
 */
export class DependencyTable {
  readonly #state = new TableState();
  readonly #bases = new WeakMap<TableChange, Basis>();

  /** The table that persisted records tell of. */
  static from({ allocators, rows }: TableRecords): DependencyTable {
    const table = new DependencyTable();
    const known = [...allocators];
    table.#state.apply(
      {
        valuesFreed: [],
        inserted: [...rows],
        updated: [],
        deleted: [],
        allocatorsCreated: known.map(({ name }) => name),
        allocatorsDraining: known.filter(({ state }) => state === 'DRAINING').map(({ name }) => name),
        allocatorsDestroyed: [],
      },
      { fields: [], allocators: [] },
    );
    return table;
  }

  createAllocator(name: string): Outcome {
    if (this.#state.allocator(name) !== undefined)
      return rejected({ reason: 'allocator-exists', allocator: name });
    const footprint = new Footprint(this.#state);
    footprint.allocator(name, 'exclusive');
    return { accepted: true, change: this.#offer(footprint.draft({ allocatorsCreated: [name] })) };
  }

  /** Rows of a program that was verified to have these effects. Rejected if two allocators would meet in one class. */
  load(program: string, effects: Effects): Outcome {
    const drafted = draftLoad(this.#state, program, effects);
    if ('reason' in drafted) return rejected(drafted);
    return { accepted: true, change: this.#offer(drafted) };
  }

  /** No run of the program may be under way: a value on its stack is not found by the walk. */
  unload(program: string, isEmpty: IsEmpty): TableChange {
    return this.#offer(draftUnload(this.#state, program, isEmpty));
  }

  freeMap(map: string, isEmpty: IsEmpty): TableChange {
    return this.#offer(draftFreeMap(this.#state, map, isEmpty));
  }

  destroyAllocator(name: string): TableChange {
    return this.#offer(draftDestroyAllocator(this.#state, name));
  }

  /** Whether nothing that the change depends on was changed since it was computed. */
  isCurrent(change: TableChange): boolean {
    const basis = this.#bases.get(change);
    return basis !== undefined && this.#state.isCurrent(basis);
  }

  /** What to lock, exclusively, so that nothing about these fields and their chains changes. Sorted by name, each once. */
  locksOf(fields: Iterable<Field>): readonly Lock[] {
    const footprint = new Footprint(this.#state);
    for (const field of fields) footprint.field(field);
    return footprint.draft({}).change.locks;
  }

  /** Makes a change that is persisted come true in memory. Each change once, and only while it is current. */
  commit(change: TableChange): void {
    const basis = this.#bases.get(change);
    assert(basis !== undefined && this.#state.isCurrent(basis), 'a change is committed once, while current');
    this.#bases.delete(change);
    this.#state.apply(change, basis);
  }

  /** What values of a field come from: what a free site of any loaded program refers to. Undefined is a placeholder. */
  allocatorOf(field: Field): string | undefined {
    return this.#state.chain(field)?.allocator;
  }

  stateOf(allocator: string): AllocatorState | undefined {
    return this.#state.allocator(allocator)?.state;
  }

  /** The chain of a field, unless no row names it. */
  chainOf(field: Field): ChainView | undefined {
    const chain = this.#state.chain(field);
    return chain === undefined ? undefined : viewOf(chain);
  }

  chains(): ChainView[] {
    const views = Array.from(this.#state.chains(), viewOf);
    return views.sort((one, other) => ((one.fields[0] ?? '') < (other.fields[0] ?? '') ? -1 : 1));
  }

  records(): { allocators: AllocatorRecord[]; rows: Row[] } {
    return { allocators: this.#state.allocatorRecords(), rows: [...this.#state.rows()] };
  }

  whyAlive(allocator: string, isEmpty: IsEmpty): Explanation {
    return whyAlive(this.#state, allocator, isEmpty);
  }

  /** Why a field cannot take another allocator. */
  whyBound(field: Field, isEmpty: IsEmpty): Explanation {
    return whyBound(this.#state, field, isEmpty);
  }

  /** The same for each field of a map that some row names. */
  whyMap(map: string, isEmpty: IsEmpty): Explanation[] {
    return whyMap(this.#state, map, isEmpty);
  }

  #offer({ change, basis }: Draft): TableChange {
    this.#bases.set(change, basis);
    return change;
  }
}
