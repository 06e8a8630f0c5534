import { HoldfastError } from '@holdfast/foundation';
import type { Migration } from './migration-files.js';

/** A row of `_prisma_migrations` that counts: not rolled back. */
export interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

/** What applying migrations asks of a database. One session is one connection. */
export interface MigrationSession {
  /** Begins a transaction that excludes every other one which applies migrations, in any process. */
  beginExclusive(): Promise<void>;
  /** The rows of `_prisma_migrations`; none when there is no such table. */
  readApplied(): Promise<AppliedMigration[]>;
  /** Makes `_prisma_migrations` as Prisma does, unless it is there. */
  createTable(): Promise<void>;
  /** Runs the statements of one migration and notes it as applied. */
  apply(migration: Migration): Promise<void>;
  commit(): Promise<void>;
  /** Undoes everything since {@link beginExclusive}. */
  rollback(): Promise<void>;
}

/**
 * Brings a database up to date: all missing migrations in one transaction, or none. Several processes may do so at the
 * same time; one applies, the others wait and find nothing left to do. A database that is up to date is only read.
 *
 * @throws HoldfastError MIGRATION_CHANGED when an applied migration is not, or not so, among those that ship
 */
export async function applyMigrations(
  session: MigrationSession,
  shipped: readonly Migration[],
  onMigration: (name: string) => void,
): Promise<void> {
  if (pending(shipped, await session.readApplied()).length === 0) return;
  await session.beginExclusive();
  let todo: Migration[];
  try {
    await session.createTable();
    // Read again: another process may have been first.
    todo = pending(shipped, await session.readApplied());
    for (const migration of todo) await session.apply(migration);
    await session.commit();
  } catch (error) {
    await session.rollback();
    throw error;
  }
  for (const { name } of todo) onMigration(name);
}

/** The shipped migrations that are not applied yet, once those that are have proven to be the same. */
function pending(shipped: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  const byName = new Map(shipped.map((migration) => [migration.name, migration]));
  for (const { name, checksum, finished } of applied) {
    const known = byName.get(name);
    if (known === undefined) throw changed(name, 'is not known to this version');
    if (!finished) throw changed(name, 'was begun by another tool and never finished');
    if (known.checksum !== checksum) throw changed(name, 'differs from the one that this version ships');
  }
  const done = new Set(applied.map(({ name }) => name));
  return shipped.filter(({ name }) => !done.has(name));
}

function changed(migration: string, what: string): HoldfastError {
  return new HoldfastError(
    'MIGRATION_CHANGED',
    `The database has the migration ${migration}, which ${what}.`,
    {
      migration,
    },
  );
}
