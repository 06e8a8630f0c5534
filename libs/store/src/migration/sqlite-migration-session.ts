import { randomUUID } from 'node:crypto';
import { AssertionFailure } from '@holdfast/foundation';
import { whileBusy, type SqliteConnection } from '../database/sqlite-adapter.js';
import type { AppliedMigration, MigrationSession } from './apply-migrations.js';
import type { Migration } from './migration-files.js';

/**
 * Migrations on a SQLite connection that nobody else uses yet, with foreign keys not enforced: they cannot be switched
 * within a transaction, and a migration that makes a table anew would set them off. They are checked before the commit.
 */
export class SqliteMigrationSession implements MigrationSession {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  async beginExclusive() {
    await whileBusy(() => this.#connection.executeScript('BEGIN IMMEDIATE'));
  }

  async readApplied(): Promise<AppliedMigration[]> {
    const tables = await this.#query(`SELECT 1 FROM sqlite_master WHERE name = '_prisma_migrations'`);
    if (tables.length === 0) return [];
    const rows = await this.#query(
      `SELECT migration_name, checksum, finished_at IS NOT NULL FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
    );
    return rows.map(([name, checksum, finished]) => ({
      name: String(name),
      checksum: String(checksum),
      finished: Number(finished) === 1,
    }));
  }

  async createTable() {
    await this.#connection.executeScript(`
      CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
        "id"                    TEXT PRIMARY KEY NOT NULL,
        "checksum"              TEXT NOT NULL,
        "finished_at"           DATETIME,
        "migration_name"        TEXT NOT NULL,
        "logs"                  TEXT,
        "rolled_back_at"        DATETIME,
        "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
        "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
      )`);
  }

  async apply({ name, checksum, sql }: Migration) {
    await this.#connection.executeScript(sql);
    // Prisma writes its times in this table as milliseconds.
    await this.#query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       SELECT ?, ?, ?, now, now, 1 FROM (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now)`,
      [randomUUID(), checksum, name],
    );
  }

  async commit() {
    const dangling = await this.#query('PRAGMA foreign_key_check');
    if (dangling.length > 0) {
      throw new AssertionFailure(`a migration left ${String(dangling.length)} rows that refer to nothing`);
    }
    await this.#connection.executeScript('COMMIT');
  }

  async rollback() {
    try {
      await this.#connection.executeScript('ROLLBACK');
    } catch {
      // Already rolled back by SQLite itself, as on a full disk; what failed is on its way to the caller.
    }
  }

  async #query(sql: string, args: string[] = []): Promise<unknown[][]> {
    const argTypes = args.map(() => ({ scalarType: 'string', arity: 'scalar' }) as const);
    const { rows } = await whileBusy(() => this.#connection.queryRaw({ sql, args, argTypes }));
    return rows;
  }
}
