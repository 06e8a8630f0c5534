import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import pg from 'pg';
import type { MigrationSession } from '../migration/apply-migrations.js';
import { PostgresqlMigrationSession } from '../migration/postgresql-migration-session.js';
import { SqliteMigrationSession } from '../migration/sqlite-migration-session.js';

/** What migrations are applied by, on a connection of its own. */
export async function openMigrationSession(
  url: string,
): Promise<{ session: MigrationSession; close: () => Promise<void> }> {
  if (url.startsWith('file:')) {
    const connection = await new PrismaBetterSqlite3({ url }).connect();
    await connection.executeScript('PRAGMA foreign_keys = OFF');
    return { session: new SqliteMigrationSession(connection), close: () => connection.dispose() };
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return { session: new PostgresqlMigrationSession(client), close: () => client.end() };
}
