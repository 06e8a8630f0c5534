import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openPostgresql } from './database/open-postgresql.js';
import { openSqlite } from './database/open-sqlite.js';
import { openStore } from './store.js';
import { describeDatabases, describePostgresql } from './testing/databases.js';
import { openRaw } from './testing/raw-connection.js';
import { attach, deviceOf, leaseOf } from './testing/records.js';

const none = () => undefined;

describe('opening a SQLite database', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'holdfast-open-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('Law 8: its files are for their owner only, also those of the journal', async () => {
    const store = await openStore({ url: `file:${folder}/a.db` });
    await store.devices.create(deviceOf('a'));
    const files = readdirSync(folder).sort();
    expect(files).toEqual(['a.db', 'a.db-shm', 'a.db-wal']);
    for (const file of files) expect(statSync(path.join(folder, file)).mode & 0o777).toBe(0o600);
    await store.close();
  });

  test('Law 8: one that was restored with a wider mode is narrowed', async () => {
    const file = path.join(folder, 'a.db');
    await (await openStore({ url: `file:${file}` })).close();
    chmodSync(file, 0o644);
    await (await openStore({ url: `file:${file}` })).close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('Law 2: every commit is on the disk, references are enforced, readers are not blocked', async () => {
    const connection = await openSqlite(path.join(folder, 'a.db'), none);
    const { client } = connection;
    const pragma = async (name: string) =>
      Object.values((await client.$queryRawUnsafe<object[]>(`PRAGMA ${name}`))[0] ?? {})[0] as unknown;
    expect(await pragma('journal_mode')).toBe('wal');
    expect(Number(await pragma('synchronous'))).toBe(2);
    expect(Number(await pragma('foreign_keys'))).toBe(1);
    await connection.close();
  });

  test('closing leaves one file: the journal is part of it', async () => {
    const store = await openStore({ url: `file:${folder}/a.db` });
    await store.devices.create(deviceOf('a'));
    await store.close();
    expect(readdirSync(folder)).toEqual(['a.db']);
  });

  test('a missing folder is named', async () => {
    const url = `file:${folder}/missing/a.db`;
    await expect(openStore({ url })).rejects.toMatchObject({
      code: 'INVALID_SETTING',
      metadata: { path: `${folder}/missing/a.db` },
    });
    expect(existsSync(`${folder}/missing`)).toBe(false);
  });

  test('a file that is no database is refused and left alone', async () => {
    const file = path.join(folder, 'notes.txt');
    const content = 'Not a database, but long enough to look into. '.repeat(30);
    writeFileSync(file, content);
    await expect(openStore({ url: `file:${file}` })).rejects.toMatchObject({
      code: 'DATABASE_FAILED',
      metadata: { database_code: 'SQLITE_NOTADB' },
    });
    expect(statSync(file).size).toBe(content.length);
  });

  test('the same file twice in one process is two connections to one database', async () => {
    const url = `file:${folder}/a.db`;
    const [one, other] = await Promise.all([openStore({ url }), openStore({ url })]);
    await one.devices.create(deviceOf('a'));
    expect(await other.devices.find('a')).toBeDefined();
    await Promise.all([one.close(), other.close()]);
  });
});

describe('opening a PostgreSQL database', () => {
  test('a server that is not there', async () => {
    for (const url of [
      'postgresql://u:secret@localhost/d?host=/nowhere',
      'postgresql://u:secret@127.0.0.1:1/d',
    ]) {
      const error: unknown = await openStore({ url }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      expect(String(error)).not.toContain('secret');
    }
  });
});

describeDatabases('a store', (database) => {
  test('says what it is, and keeps what it was told', async () => {
    const url = await database.create();
    const store = await openStore({ url });
    expect(store.kind).toBe(database.kind);
    await store.devices.create(deviceOf('a'));
    await store.close();
    expect(await (await database.open(url)).devices.get('a')).toMatchObject(deviceOf('a'));
  });

  test('closing ends after what is under way; what comes later is refused', async () => {
    const store = await database.open();
    await attach(store, 'a');
    const grants = Array.from({ length: 30 }, (_, n) => store.leases.grant(leaseOf('a', String(n))));
    const closed = Promise.all([store.close(), store.close()]);
    await expect(store.devices.find('a')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await expect(store.devices.remove('a')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    const numbers = (await Promise.all(grants)).map(({ number }) => number);
    expect(new Set(numbers).size).toBe(30);
    await closed;
  });
});

describePostgresql('a store on PostgreSQL', (database) => {
  test('Law 2: a commit is on the disk, whatever the server is set to', async () => {
    const url = await database.create();
    const raw = await openRaw(url);
    const [name = ''] = await raw.column('SELECT current_database()');
    await raw.execute(`ALTER DATABASE ${name} SET synchronous_commit = off`);
    await raw.execute(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`);
    await raw.close();
    const connection = await openPostgresql(url, none);
    const { client } = connection;
    expect(await client.$queryRawUnsafe('SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
    expect(await client.$queryRawUnsafe('SHOW transaction_isolation')).toEqual([
      { transaction_isolation: 'read committed' },
    ]);
    await connection.close();
  });

  test('a database that is not there, and a server that ends our connections', async () => {
    const url = await database.create();
    const missing = url.replace(/test_\d+/, 'missing');
    await expect(openStore({ url: missing })).rejects.toMatchObject({ code: 'INVALID_SETTING' });

    const store = await database.open(url);
    const raw = await openRaw(url);
    const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()`;
    await raw.execute(`${cut} AND datname = current_database()`);
    await raw.close();
    // The pool notices in its own time; then it makes a new connection.
    await expect
      .poll(() =>
        store.devices.find('a').then(
          () => 'works',
          () => 'fails',
        ),
      )
      .toBe('works');
  });
});
