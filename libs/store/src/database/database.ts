import { asStoreError, isConflict } from './database-error.js';
import type { Client, Transaction } from './client.js';
import type { DatabaseKind } from './database-url.js';

/** Times a transaction is tried when PostgreSQL breaks a deadlock by failing it; each time some other one succeeds. */
const CONFLICT_ATTEMPTS_MAX = 5;

/** What differs between the two databases once one is open. */
export interface Connection {
  readonly kind: DatabaseKind;
  readonly client: Client;
  /**
   * Keeps the attachment of a device as it is until the transaction ends; others may keep it too. Answers whether
   * there is one: if not, one that appears meanwhile is not kept. With SQLite a transaction keeps everything.
   */
  holdAttachment(tx: Transaction, deviceId: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * An open database, as repositories use it. Law 2 stands on this: when `run` or `transaction` answers, what was
 * written is on the disk.
 */
export class Database {
  readonly kind: DatabaseKind;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.kind = connection.kind;
    this.#connection = connection;
  }

  /** Does one statement, in a transaction of its own. */
  async run<Result>(statement: (client: Client) => Promise<Result>): Promise<Result> {
    try {
      return await statement(this.#connection.client);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  /**
   * Does several statements in one transaction: one write to the disk, or none if `work` throws. `work` uses nothing
   * but the transaction it is given, has no other effect, and may be called again.
   */
  async transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#connection.client.$transaction(work);
      } catch (error) {
        if (!isConflict(error) || attempt === CONFLICT_ATTEMPTS_MAX) throw asStoreError(error);
      }
    }
  }

  /** See {@link Connection.holdAttachment}. */
  async holdAttachment(tx: Transaction, deviceId: string): Promise<boolean> {
    return this.#connection.holdAttachment(tx, deviceId);
  }

  /** Ends after what is under way. Anything asked for later fails. */
  async close(): Promise<void> {
    await this.#connection.close();
  }
}
