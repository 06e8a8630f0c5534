import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import pg from 'pg';

/** A connection that knows nothing of the repositories: what the database itself holds, and what it refuses. */
export interface RawConnection {
  execute(sql: string): Promise<void>;
  /** The first column of every row, as text. */
  column(sql: string): Promise<string[]>;
  close(): Promise<void>;
}

export async function openRaw(url: string): Promise<RawConnection> {
  return url.startsWith('file:') ? openSqlite(url) : openPostgresql(url);
}

async function openSqlite(url: string): Promise<RawConnection> {
  const connection = await new PrismaBetterSqlite3({ url }).connect();
  await connection.executeScript('PRAGMA foreign_keys = ON');
  return {
    execute: async (sql) => connection.executeScript(sql),
    column: async (sql) => {
      const { rows } = await connection.queryRaw({ sql, args: [], argTypes: [] });
      return rows.map((row) => String(row[0]));
    },
    close: () => connection.dispose(),
  };
}

async function openPostgresql(url: string): Promise<RawConnection> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    execute: async (sql) => {
      await client.query(sql);
    },
    column: async (sql) => {
      const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
      return rows.map((row) => String(row[0]));
    },
    close: () => client.end(),
  };
}
