import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SqliteAdapter } from './sqlite-adapter.js';

const query = (sql: string) => ({ sql, args: [], argTypes: [] });

describe('the SQLite adapter', () => {
  let folder: string;
  const adapters: SqliteAdapter[] = [];

  async function openAdapter(timeout = 0): Promise<SqliteAdapter> {
    const adapter = new SqliteAdapter(
      await new PrismaBetterSqlite3({ url: path.join(folder, 'a.db'), timeout }).connect(),
    );
    adapters.push(adapter);
    return adapter;
  }

  async function valuesOf(adapter: SqliteAdapter): Promise<unknown[]> {
    return (await adapter.queryRaw(query('SELECT v FROM t ORDER BY v'))).rows.map((row) => row[0]);
  }

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'holdfast-adapter-'));
    await (
      await openAdapter()
    ).executeScript('PRAGMA journal_mode = WAL; CREATE TABLE t (v INTEGER NOT NULL UNIQUE)');
  });

  afterEach(async () => {
    await Promise.all(adapters.splice(0).map((adapter) => adapter.dispose()));
    rmSync(folder, { recursive: true });
  });

  test('Law 2: a statement from outside is not undone with the transaction that was open meanwhile', async () => {
    const adapter = await openAdapter();
    const transaction = await adapter.startTransaction();
    await transaction.executeRaw(query('INSERT INTO t VALUES (1)'));
    const outside = adapter.executeRaw(query('INSERT INTO t VALUES (2)'));
    await transaction.rollback();
    expect(await outside).toBe(1);
    expect(await valuesOf(adapter)).toEqual([2]);
  });

  test('a reader from outside does not see what is not committed yet', async () => {
    const adapter = await openAdapter();
    const transaction = await adapter.startTransaction();
    await transaction.executeRaw(query('INSERT INTO t VALUES (1)'));
    const outside = valuesOf(adapter);
    await transaction.rollback();
    expect(await outside).toEqual([]);
  });

  test('a transaction that reads first still writes when another process writes meanwhile', async () => {
    const [one, other] = [await openAdapter(), await openAdapter()];
    const transaction = await one.startTransaction();
    await transaction.queryRaw(query('SELECT v FROM t'));
    const meanwhile = other.executeRaw(query('INSERT INTO t VALUES (1)'));
    // Time enough for the other one to have written, if anything let it.
    await sleep(20);
    await transaction.executeRaw(query('INSERT INTO t VALUES (2)'));
    await transaction.commit();
    await meanwhile;
    expect(await valuesOf(one)).toEqual([1, 2]);
  });

  test('waiting for another process leaves the event loop free', async () => {
    const [one, other] = [await openAdapter(), await openAdapter()];
    const transaction = await one.startTransaction();
    let turnsOfTheLoop = 0;
    const counting = setInterval(() => (turnsOfTheLoop += 1), 1);
    const waiting = other.startTransaction();
    await sleep(100);
    clearInterval(counting);
    await transaction.rollback();
    await (await waiting).rollback();
    expect(turnsOfTheLoop).toBeGreaterThan(10);
  });

  test('a commit that fails is undone, and the next transaction works', async () => {
    const adapter = await openAdapter();
    await adapter.executeScript(
      'CREATE TABLE u (v INTEGER REFERENCES t(v) DEFERRABLE INITIALLY DEFERRED); PRAGMA foreign_keys = ON',
    );
    const failing = await adapter.startTransaction();
    await failing.executeRaw(query('INSERT INTO u VALUES (7)'));
    await expect(failing.commit()).rejects.toThrow();
    const next = await adapter.startTransaction();
    await next.executeRaw(query('INSERT INTO t VALUES (1)'));
    await next.commit();
    expect(await valuesOf(adapter)).toEqual([1]);
    expect((await adapter.queryRaw(query('SELECT * FROM u'))).rows).toEqual([]);
  });

  test('a statement that fails within a transaction leaves it to be undone', async () => {
    const adapter = await openAdapter();
    const transaction = await adapter.startTransaction();
    await transaction.executeRaw(query('INSERT INTO t VALUES (1)'));
    await expect(transaction.executeRaw(query('INSERT INTO t VALUES (1)'))).rejects.toThrow();
    await transaction.rollback();
    expect(await valuesOf(adapter)).toEqual([]);
  });

  test('a transaction that cannot begin ends its turn', async () => {
    const adapter = await openAdapter();
    adapters.splice(adapters.indexOf(adapter), 1);
    await adapter.dispose();
    await expect(adapter.startTransaction()).rejects.toThrow('not open');
    await expect(adapter.startTransaction()).rejects.toThrow('not open');
  });

  test('closing waits for the transaction that is open', async () => {
    const adapter = await openAdapter();
    const transaction = await adapter.startTransaction();
    const closing = adapter.dispose();
    await transaction.executeRaw(query('INSERT INTO t VALUES (1)'));
    await transaction.commit();
    await closing;
    adapters.splice(adapters.indexOf(adapter), 1);
    expect(await valuesOf(await openAdapter())).toEqual([1]);
  });
});
