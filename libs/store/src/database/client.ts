import type { Prisma, PrismaClient } from '../generated/sqlite/client.js';

/**
 * The one client type that repositories are written against: SQLite's, because PostgreSQL's offers all of it and more.
 * Types only; the client itself is loaded when a database of its kind is opened.
 */
export type Client = PrismaClient;

/** The client within a transaction. */
export type Transaction = Prisma.TransactionClient;

/**
 * How long a write waits for its turn, and how long it may then take, in milliseconds. Both are far beyond a healthy
 * disk (about 1 ms a transaction); whoever meets them has a database that stands still.
 */
export const TRANSACTION_WAIT_MS_MAX = 10_000;
export const TRANSACTION_MS_MAX = 10_000;

export const transactionOptions = { maxWait: TRANSACTION_WAIT_MS_MAX, timeout: TRANSACTION_MS_MAX } as const;
