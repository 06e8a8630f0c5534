import type { Field } from '../effects.js';
import type { Lock, TableChange } from './change.js';
import { chainOf, type FieldNode } from './field-forest.js';
import { nameOf } from './row.js';
import type { Basis, TableState } from './table-state.js';

export type Writes = Partial<Omit<TableChange, 'locks'>>;

/** A change while it is computed, with what it was computed from. */
export interface Draft {
  readonly change: TableChange;
  readonly basis: Basis;
}

/** What an operation has looked at, noted while it looks. */
export class Footprint {
  readonly #fields = new Map<FieldNode | string, Field>();
  readonly #allocators = new Map<string, Lock['mode']>();

  constructor(private readonly state: TableState) {}

  /** Its chain; or, of a field that no row names yet, that it is not there. */
  field(field: Field): void {
    const chain = this.state.chain(field);
    this.#fields.set(chain?.root ?? nameOf(field), field);
  }

  allocator(name: string, mode: Lock['mode']): void {
    if (this.#allocators.get(name) !== 'exclusive') this.#allocators.set(name, mode);
  }

  draft(writes: Writes): Draft {
    const fields = [...this.#fields.values()].map((field) => {
      return [field, this.state.chain(field)?.version ?? 0] as const;
    });
    const allocators = [...this.#allocators].map(([name, mode]) => {
      return [name, this.state.allocator(name)?.version ?? 0, mode] as const;
    });
    const locks: Lock[] = [
      ...fields.map(([field]) => ({ name: `chain ${this.#lockName(field)}`, mode: 'exclusive' as const })),
      ...allocators.map(([name, , mode]) => ({ name: `allocator ${name}`, mode })),
    ];
    locks.sort((one, other) => (one.name < other.name ? -1 : 1));
    return { change: { ...nothing, ...writes, locks }, basis: { fields, allocators } };
  }

  #lockName(field: Field): string {
    const node = this.state.node(field);
    return nameOf(node === undefined ? field : chainOf(node).root.field);
  }
}

const nothing: TableChange = {
  valuesFreed: [],
  inserted: [],
  updated: [],
  deleted: [],
  allocatorsCreated: [],
  allocatorsDraining: [],
  allocatorsDestroyed: [],
  locks: [],
};
