import { setTimeout as sleep } from 'node:timers/promises';
import type { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import { TRANSACTION_WAIT_MS_MAX } from './client.js';
import { isBusy } from './database-error.js';
import { Turns } from './turns.js';

/** One connection of Prisma's own adapter, and what passes through it. */
export type SqliteConnection = Awaited<ReturnType<PrismaBetterSqlite3['connect']>>;
type AdapterTransaction = Awaited<ReturnType<SqliteConnection['startTransaction']>>;
type Query = Parameters<SqliteConnection['queryRaw']>[0];

/**
 * What Prisma's adapter leaves open, closed. It keeps one connection, and
 *
 * - lets a statement from outside run while a transaction is open, within that transaction: a write that was answered
 *   with success would vanish if the other one rolled back. Here a statement waits for its turn.
 * - begins transactions with BEGIN, so that one which first reads and then writes fails at once when another process
 *   wrote in between. Here they begin with BEGIN IMMEDIATE.
 * - waits for another process within SQLite, which stops the event loop. Here only for some milliseconds, then by
 *   trying again later.
 */
export class SqliteAdapter implements SqliteConnection {
  readonly provider = 'sqlite';
  readonly adapterName: string;
  readonly #connection: SqliteConnection;
  readonly #turns = new Turns();

  constructor(connection: SqliteConnection) {
    this.adapterName = connection.adapterName;
    this.#connection = connection;
  }

  async queryRaw(query: Query) {
    return this.#turns.run(() => whileBusy(() => this.#connection.queryRaw(query)));
  }

  async executeRaw(query: Query) {
    return this.#turns.run(() => whileBusy(() => this.#connection.executeRaw(query)));
  }

  async executeScript(script: string) {
    return this.#turns.run(() => whileBusy(() => this.#connection.executeScript(script)));
  }

  async startTransaction(): Promise<AdapterTransaction> {
    const endTurn = await this.#turns.take();
    try {
      await whileBusy(() => this.#connection.executeScript('BEGIN IMMEDIATE'));
    } catch (error) {
      endTurn();
      throw error;
    }
    return new SqliteTransaction(this.#connection, endTurn);
  }

  async dispose() {
    await this.#turns.run(() => this.#connection.dispose());
  }
}

class SqliteTransaction implements AdapterTransaction {
  readonly provider = 'sqlite';
  readonly adapterName: string;
  /** Prisma leaves COMMIT and ROLLBACK to this class, so that their failures are handled in one place. */
  readonly options = { usePhantomQuery: true };
  readonly #connection: SqliteConnection;
  readonly #endTurn: () => void;

  constructor(connection: SqliteConnection, endTurn: () => void) {
    this.adapterName = connection.adapterName;
    this.#connection = connection;
    this.#endTurn = endTurn;
  }

  queryRaw(query: Query) {
    return this.#connection.queryRaw(query);
  }

  executeRaw(query: Query) {
    return this.#connection.executeRaw(query);
  }

  async commit() {
    try {
      await this.#connection.executeScript('COMMIT');
    } catch (error) {
      await this.#undo();
      throw error;
    } finally {
      this.#endTurn();
    }
  }

  async rollback() {
    try {
      await this.#undo();
    } finally {
      this.#endTurn();
    }
  }

  async #undo() {
    try {
      await this.#connection.executeScript('ROLLBACK');
    } catch {
      // SQLite rolls back by itself on a full disk or an I/O error, and then says that there is nothing to roll back.
    }
  }
}

/** Tries again, without holding up the event loop, until another process has finished writing. */
export async function whileBusy<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + TRANSACTION_WAIT_MS_MAX;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
    }
    // A random pause, lest two processes keep meeting; a transaction takes about 1 ms.
    await sleep(Math.random() * 4);
  }
}
