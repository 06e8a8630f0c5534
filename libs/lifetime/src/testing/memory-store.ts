import type { AllocatorRecord, TableChange } from '../table/change.js';
import { keyOf, type Row } from '../table/row.js';

/** What a transaction ends with that was not committed. */
export class RolledBack extends Error {
  override readonly name = 'RolledBack';
}

/** Rows as a database keeps them: a change is written whole or not at all, and a key that is not as expected is an error. */
export class MemoryStore {
  #rows = new Map<string, Row>();
  #allocators = new Map<string, AllocatorRecord>();
  /** The next transaction fails after its writes and is rolled back. */
  failsNext = false;

  readonly persist = (change: TableChange): Promise<void> => {
    const rows = new Map(this.#rows);
    const allocators = new Map(this.#allocators);
    for (const row of change.inserted) expectKey(rows, keyOf(row), false).set(keyOf(row), row);
    for (const row of change.updated) expectKey(rows, keyOf(row), true).set(keyOf(row), row);
    for (const row of change.deleted) expectKey(rows, keyOf(row), true).delete(keyOf(row));
    for (const name of change.allocatorsCreated)
      expectKey(allocators, name, false).set(name, { name, state: 'ACTIVE' });
    for (const name of change.allocatorsDraining)
      expectKey(allocators, name, true).set(name, { name, state: 'DRAINING' });
    for (const name of change.allocatorsDestroyed) expectKey(allocators, name, true).delete(name);
    if (this.failsNext) {
      this.failsNext = false;
      return Promise.reject(new RolledBack());
    }
    this.#rows = rows;
    this.#allocators = allocators;
    return Promise.resolve();
  };

  records(): { allocators: AllocatorRecord[]; rows: Row[] } {
    return { allocators: [...this.#allocators.values()], rows: [...this.#rows.values()] };
  }
}

function expectKey<Value>(map: Map<string, Value>, key: string, isThere: boolean): Map<string, Value> {
  if (map.has(key) !== isThere) throw new Error(`${key} is ${isThere ? 'not ' : ''}there`);
  return map;
}
