import { HoldfastError } from '@holdfast/foundation';
import {
  auditRecord,
  type Observer,
  type Field,
  type IsEmpty,
  type Lock,
  type Operation,
  type Outcome,
  type TableChange,
} from '@holdfast/lifetime';
import type { AllocatorRecord, Store, TableWrite } from '@holdfast/store';
import type { ChunkPools } from '../chunk/chunk-pools.js';
import { covers, LockTable } from './lock-table.js';
import { emptyMemory, readMemory, type Memory } from './records.js';
import { columnsOf, type Numbers } from './row-columns.js';

/** Shared by every operation; exclusive while everything is read anew. */
const EVERYTHING = 'everything';

/** What the store writes with a change of the table, beside its rows. */
export type Accompanying = Pick<TableWrite, 'load' | 'unload' | 'freedMap' | 'chunks'>;

/**
 * The dependency table, and all that it tells about, in memory as the records have it. Operations on different chains do not
 * wait for each other. A change is written in one transaction, and made true in memory after that; when it is not known
 * whether it was written, everything is read anew before anything else is done (C10).
 */
export class Lifetimes {
  #memory: Memory = emptyMemory();
  #isDoubtful = true;
  readonly #locks = new LockTable();

  constructor(
    private readonly store: Store,
    private readonly pools: ChunkPools,
  ) {}

  get memory(): Memory {
    return this.#memory;
  }

  /** Whether a field holds nothing, in all entries of its map. */
  readonly isEmpty: IsEmpty = ({ map, field }: Field) => {
    const record = this.#memory.maps.get(map);
    return record === undefined || this.#memory.values.isEmpty(record.number, field);
  };

  /** Brings everything into memory, unless it is there. */
  async load(): Promise<void> {
    const release = await this.#locks.take([{ name: EVERYTHING, mode: 'exclusive' }]);
    try {
      if (!this.#isDoubtful) return;
      const memory = await readMemory(this.store);
      for (const record of memory.allocators.values()) await this.pools.load(record);
      this.#memory = memory;
      this.#isDoubtful = false;
    } finally {
      release();
    }
  }

  /** Does `work` while all that `plan` names is locked. What to lock may change while it is waited for: then anew. */
  async exclusive<Result>(plan: () => readonly Lock[], work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      if (this.#isDoubtful) await this.load();
      const locks = plan();
      const release = await this.#locks.take([...locks, { name: EVERYTHING, mode: 'shared' }]);
      try {
        if (!this.#isDoubtful && covers(locks, plan())) return await work();
      } finally {
        release();
      }
    }
  }

  /** Does something to the records of which memory has to know. */
  async write<Result>(writing: () => Promise<Result>): Promise<Result> {
    try {
      return await writing();
    } catch (error) {
      // What is refused has not happened. Of anything else that is not known.
      const isRefused = error instanceof HoldfastError && !error.code.startsWith('DATABASE_');
      if (!isRefused) this.#isDoubtful = true;
      throw error;
    }
  }

  /** Writes a change of the table with all that goes with it, then makes it true in memory. */
  async commit(
    operation: Operation,
    change: TableChange,
    { observed = [], ...along }: Accompanying & { readonly observed?: Observer['observed'] } = {},
  ): Promise<void> {
    const numbers = this.#numbers();
    const columns = (rows: TableChange['inserted']) => rows.map((row) => columnsOf(row, numbers));
    await this.write(() =>
      this.store.programs.apply({
        ...along,
        inserted: columns(change.inserted),
        revived: columns(change.updated.filter(({ discardable }) => !discardable)),
        discarded: columns(change.updated.filter(({ discardable }) => discardable)).map(({ key }) => key),
        deleted: columns(change.deleted).map(({ key }) => key),
        activated: [],
        draining: change.allocatorsDraining.map((name) => numbers.ofAllocator(name)),
        destroyed: change.allocatorsDestroyed.map((name) => numbers.ofAllocator(name)),
        trail: JSON.stringify(auditRecord(operation, change, observed)),
      }),
    );
    this.#memory.table.commit(change);
    this.#follow(change);
  }

  /** Notes an operation that the table refuses. */
  async refuse(operation: Operation, outcome: Outcome): Promise<void> {
    await this.store.programs.refuse(JSON.stringify(auditRecord(operation, outcome)));
  }

  /** The device of an allocator is reserved: it hands out chunks from now on. Nothing, when it did before. */
  async activate(record: AllocatorRecord): Promise<void> {
    const { name, number } = record;
    await this.exclusive(
      () => [{ name: `allocator ${name}`, mode: 'exclusive' }],
      async () => {
        const outcome = this.#memory.table.createAllocator(name);
        if (!outcome.accepted) return;
        const operation = { kind: 'create-allocator' as const, allocator: name };
        const nothing = {
          inserted: [],
          revived: [],
          discarded: [],
          deleted: [],
          draining: [],
          destroyed: [],
        };
        const trail = JSON.stringify(auditRecord(operation, outcome));
        await this.write(() => this.store.programs.apply({ ...nothing, activated: [number], trail }));
        this.#memory.table.commit(outcome.change);
        this.#memory.allocators.set(name, { ...record, state: 'ACTIVE' });
      },
    );
  }

  /** It hands out nothing from now on, and is sealed as soon as no row names it (C1): now, if none does. */
  async destroyAllocator(name: string): Promise<void> {
    await this.exclusive(
      () => [{ name: `allocator ${name}`, mode: 'exclusive' }],
      async () => {
        const change = this.#memory.table.destroyAllocator(name);
        if (change.allocatorsDraining.length + change.allocatorsDestroyed.length === 0) return;
        await this.commit({ kind: 'destroy-allocator', allocator: name }, change);
      },
    );
  }

  #follow({ allocatorsDraining, allocatorsDestroyed }: TableChange): void {
    const { allocators } = this.#memory;
    for (const name of allocatorsDraining) {
      const record = allocators.get(name);
      if (record !== undefined) allocators.set(name, { ...record, state: 'DRAINING' });
    }
    for (const name of allocatorsDestroyed) allocators.delete(name);
  }

  #numbers(): Numbers {
    const { maps, allocators } = this.#memory;
    return {
      ofMap: (name) => maps.get(name)?.number ?? 0n,
      ofAllocator: (name) => allocators.get(name)?.number ?? 0n,
    };
  }
}
