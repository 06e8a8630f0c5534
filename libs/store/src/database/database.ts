import { HoldfastError } from '@holdfast/foundation';
import { asStoreError, isConflict } from './database-error.js';
import type { Client, Transaction } from './client.js';
import type { DatabaseLock } from './database-lock.js';
import type { DatabaseKind } from './database-url.js';

/** Times a transaction is tried when PostgreSQL ends a deadlock by failing it; each time some other one succeeds. */
const CONFLICT_ATTEMPTS_MAX = 5;

/** What a lease is granted on, as its columns are. */
export interface HeldAttachment {
  readonly id: string;
  readonly state: string;
  readonly epoch: bigint;
  readonly currentSizeBytes: bigint;
  /** Of the device. */
  readonly readOnly: boolean;
}

/** What differs between the two databases once one is open. */
export interface Connection {
  readonly kind: DatabaseKind;
  readonly client: Client;
  /**
   * Reads the attachment of a device and keeps it as it is until the transaction ends, against everybody else who would.
   * Absent when there is none. In SQL, because Prisma cannot ask for a lock on a row.
   */
  holdAttachment(tx: Transaction, deviceId: string): Promise<HeldAttachment | undefined>;
  /** Lets transactions that write audit records commit in the order of the numbers they get from now on. */
  orderAudit(tx: Transaction): Promise<void>;
  close(): Promise<void>;
}

/**
 * An open database, as repositories use it. Law 2 stands on this: when `run` or `transaction` answers, what was
 * written is on the disk.
 */
export class Database {
  readonly kind: DatabaseKind;
  readonly #connection: Connection;
  readonly #lock: DatabaseLock | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** @param lock of a process that has the database for itself; closed last */
  constructor(connection: Connection, lock?: DatabaseLock) {
    this.kind = connection.kind;
    this.#connection = connection;
    this.#lock = lock;
  }

  /** Does one statement, in a transaction of its own. It may be sent again after a conflict. */
  async run<Result>(statement: (client: Client) => Promise<Result>): Promise<Result> {
    return this.#track(() => statement(this.#connection.client));
  }

  /**
   * Does several statements in one transaction: one write to the disk, or none if `work` throws. `work` uses nothing
   * but the transaction it is given, has no other effect, and may be called again.
   */
  async transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.#track(() => this.#connection.client.$transaction(work));
  }

  /** See {@link Connection.holdAttachment}. */
  async holdAttachment(tx: Transaction, deviceId: string): Promise<HeldAttachment | undefined> {
    return this.#connection.holdAttachment(tx, deviceId);
  }

  /** See {@link Connection.orderAudit}. */
  async orderAudit(tx: Transaction): Promise<void> {
    await this.#connection.orderAudit(tx);
  }

  /** Ends after what is under way. Whatever is asked for from now on is refused: SHUTTING_DOWN. */
  async close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#connection.close();
    await this.#lock?.close();
  }

  async #track<Result>(attempt: () => Promise<Result>): Promise<Result> {
    // Prisma would connect anew, and nobody would end that.
    if (this.#closing !== undefined) throw new HoldfastError('SHUTTING_DOWN', 'The database is closed.');
    this.#lock?.requireHeld();
    const doing = attemptUntilNoConflict(attempt);
    this.#underWay.add(doing);
    try {
      return await doing;
    } finally {
      this.#underWay.delete(doing);
    }
  }
}

async function attemptUntilNoConflict<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error) || count === CONFLICT_ATTEMPTS_MAX) throw asStoreError(error);
    }
  }
}
