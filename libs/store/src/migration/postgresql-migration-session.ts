import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { AppliedMigration, MigrationSession } from './apply-migrations.js';
import type { Migration } from './migration-files.js';

/** The key of Prisma's own migration lock, so that its command line and we exclude each other. */
const LOCK_KEY = 72_707_369;

interface AppliedRow {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

/** Migrations on one PostgreSQL connection; the lock ends with the transaction, or with the connection. */
export class PostgresqlMigrationSession implements MigrationSession {
  readonly #client: ClientBase;

  constructor(client: ClientBase) {
    this.#client = client;
  }

  async beginExclusive() {
    await this.#client.query('BEGIN');
    await this.#client.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
  }

  async readApplied(): Promise<AppliedMigration[]> {
    const table = await this.#client.query<{ found: boolean }>(
      `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found`,
    );
    if (table.rows[0]?.found !== true) return [];
    const { rows } = await this.#client.query<AppliedRow>(
      `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
    );
    return rows;
  }

  async createTable() {
    await this.#client.query(`
      CREATE TABLE IF NOT EXISTS _prisma_migrations (
        id                      VARCHAR(36) PRIMARY KEY NOT NULL,
        checksum                VARCHAR(64) NOT NULL,
        finished_at             TIMESTAMPTZ,
        migration_name          VARCHAR(255) NOT NULL,
        logs                    TEXT,
        rolled_back_at          TIMESTAMPTZ,
        started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
        applied_steps_count     INTEGER NOT NULL DEFAULT 0
      )`);
  }

  async apply({ name, checksum, sql }: Migration) {
    await this.#client.query(sql);
    await this.#client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, clock_timestamp(), 1)`,
      [randomUUID(), checksum, name],
    );
  }

  async commit() {
    await this.#client.query('COMMIT');
  }

  async rollback() {
    // A connection that is gone has rolled back; what failed is on its way to the caller.
    await this.#client.query('ROLLBACK').catch(() => undefined);
  }
}
