import { HoldfastError } from '@holdfast/foundation';
import { applyMigrations } from '../migration/apply-migrations.js';
import { readMigrations } from '../migration/migration-files.js';
import { SqliteMigrationSession } from '../migration/sqlite-migration-session.js';
import { transactionOptions } from './client.js';
import type { Connection, HeldAttachment } from './database.js';
import { makePrivate } from './private-file.js';
import { SqliteAdapter, whileBusy, type SqliteConnection } from './sqlite-adapter.js';

/**
 * Milliseconds that SQLite itself waits for another process, holding up the event loop; about five transactions.
 * {@link whileBusy} waits longer, without.
 */
const BUSY_TIMEOUT_MS = 5;

/**
 * Opens the database in `file`, made with mode 0600 when it is not there, and brings it up to date. Its folder must
 * exist. Any number of processes may do so at the same time.
 */
export async function openSqlite(file: string, onMigration: (name: string) => void): Promise<Connection> {
  makePrivate(file);
  const [{ PrismaClient }, { PrismaBetterSqlite3 }, migrations] = await Promise.all([
    import('../generated/sqlite/client.js'),
    import('@prisma/adapter-better-sqlite3'),
    readMigrations('sqlite'),
  ]);
  const connection = await new PrismaBetterSqlite3({ url: file, timeout: BUSY_TIMEOUT_MS }).connect();
  try {
    await configure(connection);
    await applyMigrations(new SqliteMigrationSession(connection), migrations, onMigration);
    // Only now: a migration that makes a table anew would set off the references to the old one.
    await connection.executeScript('PRAGMA foreign_keys = ON');
    await expectPragma(connection, 'foreign_keys', 1);
  } catch (error) {
    await connection.dispose();
    throw error;
  }
  const adapter = new SqliteAdapter(connection);
  const factory = {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    connect: () => Promise.resolve(adapter),
  } as const;
  const client = new PrismaClient({ adapter: factory, transactionOptions });
  await client.$connect();
  return {
    kind: 'sqlite',
    client,
    // BEGIN IMMEDIATE keeps everything already.
    holdAttachment: async (tx, deviceId) => {
      const rows = await tx.$queryRaw<HeldAttachment[]>`
        SELECT a."id", a."state", a."epoch", a."currentSizeBytes", d."readOnly"
        FROM "Attachment" a JOIN "Device" d ON d."id" = a."deviceId"
        WHERE a."deviceId" = ${deviceId}`;
      return rows[0];
    },
    // BEGIN IMMEDIATE: one writer at a time.
    orderAudit: () => Promise.resolve(),
    close: () => client.$disconnect(),
  };
}

async function configure(connection: SqliteConnection): Promise<void> {
  // Readers go on while one process writes.
  await whileBusy(() => connection.executeScript('PRAGMA journal_mode = WAL'));
  // Each commit is on the disk before it is answered (Law 2); the driver's own default is less.
  await connection.executeScript('PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF');
  await expectPragma(connection, 'journal_mode', 'wal');
  await expectPragma(connection, 'synchronous', 2);
}

/** A file system may refuse a setting in silence. */
async function expectPragma(connection: SqliteConnection, name: string, expected: unknown): Promise<void> {
  const { rows } = await whileBusy(() =>
    connection.queryRaw({ sql: `PRAGMA ${name}`, args: [], argTypes: [] }),
  );
  const actual = rows[0]?.[0];
  if (actual !== expected) {
    throw new HoldfastError(
      'DATABASE_FAILED',
      `The database does not take the setting ${name} = ${String(expected)}, it stays ${String(actual)}.`,
    );
  }
}
