import type { TableChange } from './change.js';
import type { DependencyTable } from './dependency-table.js';

/**
 * Persists a change, then makes it come true in memory. If it cannot be persisted, the table is as it was, and the error is
 * the caller's.
 */
export async function transact(
  table: DependencyTable,
  change: TableChange,
  persist: (change: TableChange) => Promise<void>,
): Promise<void> {
  await persist(change);
  table.commit(change);
}
