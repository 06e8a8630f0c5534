import { existsSync, readdirSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import type { HoldfastError } from '@holdfast/foundation';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openStore, type Store } from '../store.js';
import { Child } from '../testing/child.js';
import { describeDatabases, describePostgresql, describeSqlite } from '../testing/databases.js';
import { openRaw, type RawConnection } from '../testing/raw-connection.js';
import { attach, deviceOf } from '../testing/records.js';

/** A store that has the database for itself; closed after the test. */
async function holdDatabase(url: string): Promise<Store> {
  const store = await openStore({ url, exclusiveTo: 'test' });
  onTestFinished(() => store.close());
  return store;
}

async function refusal(url: string): Promise<HoldfastError> {
  return await holdDatabase(url).then(
    () => Promise.reject(new Error('it was opened')),
    (error: unknown) => error as HoldfastError,
  );
}

const pathOf = (url: string) => url.slice('file:'.length);

describeDatabases('a database for one alone', (database) => {
  test('is refused to a second, by one sentence that names the first; those who share it come in', async () => {
    const url = await database.create();
    const first = await holdDatabase(url);
    const error = await refusal(url);
    expect(error.code).toBe('DATABASE_LOCKED');
    expect(error.message).toMatch(
      /^The database \S+ is in use by another test: [^;]+; stop it, or give each its own by DATABASE_URL\.$/,
    );
    expect(error.message).toContain(`(pid ${String(process.pid)}`);
    const shared = await database.open(url);
    await first.devices.create(deviceOf('a'));
    expect(await shared.devices.find('a')).toBeDefined();
    await first.close();
    await holdDatabase(url);
  });

  test('goes to one of many who ask for it at the same moment', async () => {
    const url = await database.create();
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => holdDatabase(url)));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(4);
    for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: 'DATABASE_LOCKED' } });
  });

  test('Law 1: kill -9 of the one who had it lets the next one in at once', async () => {
    const url = await database.create();
    const child = new Child('hold-database', [url]);
    expect(await child.line()).toBe('held');
    expect((await refusal(url)).message).toContain(`holdfast test (pid ${String(child.process.pid)}`);
    await child.kill();
    const killed = performance.now();
    await holdDatabase(url);
    expect(performance.now() - killed).toBeLessThan(1_000);
  });
});

describeDatabases('a store that cannot be opened', (database) => {
  test('gives its lock up again', async () => {
    const url = await database.create();
    await (await openStore({ url })).close();
    const raw = await openRaw(url);
    await raw.execute(`UPDATE _prisma_migrations SET checksum = 'another'`);
    for (const attempt of [1, 2]) {
      const opened = openStore({ url, exclusiveTo: 'test' });
      await expect(opened, String(attempt)).rejects.toMatchObject({ code: 'MIGRATION_CHANGED' });
    }
    await raw.close();
  });
});

describeSqlite('the lock of a SQLite file', (database) => {
  test('is another file, for its owner only, and not there for those who share the database', async () => {
    const url = await database.create();
    await database.open(url);
    expect(existsSync(`${pathOf(url)}.lock`)).toBe(false);
    await holdDatabase(url);
    expect(statSync(`${pathOf(url)}.lock`).mode & 0o777).toBe(0o600);
  });

  test('is one, whatever links lead to the file', async () => {
    const url = await database.create();
    await holdDatabase(url);
    symlinkSync(pathOf(url), `${pathOf(url)}.link`);
    onTestFinished(() => {
      unlinkSync(`${pathOf(url)}.link`);
    });
    expect((await refusal(`${url}.link`)).code).toBe('DATABASE_LOCKED');
    expect(
      readdirSync(pathOf(url).replace(/[^/]+$/, '')).filter((name) => name.endsWith('link.lock')),
    ).toEqual([]);
  });

  test('does not touch what SQLite itself has locked: two stores of one process go on writing', async () => {
    const url = await database.create();
    const held = await holdDatabase(url);
    const shared = await database.open(url);
    await refusal(url);
    await Promise.all([attach(held, 'a'), attach(shared, 'b')]);
    expect((await shared.devices.list({ pageSize: 10 })).items).toHaveLength(2);
  });
});

describePostgresql('the lock of a PostgreSQL database', (database) => {
  /** What is told of the lock, in order. */
  function watched(store: Store): string[] {
    const heard: string[] = [];
    store.watchLock({
      lost: (reason) => heard.push(`lost: ${reason}`),
      regained: () => heard.push('regained'),
    });
    return heard;
  }

  async function raw(url: string): Promise<RawConnection> {
    const connection = await openRaw(url);
    onTestFinished(() => connection.close());
    return connection;
  }

  const cut = (connection: RawConnection) =>
    connection.execute(
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database =
         (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );

  test('is lost with its connection: nothing is read or written until it is back', async () => {
    const url = await database.create();
    const store = await holdDatabase(url);
    const heard = watched(store);
    await cut(await raw(url));
    await vi.waitUntil(() => heard.length > 0, { interval: 1 });
    expect(heard).toEqual([expect.stringMatching(/^lost: terminating connection/)]);
    await expect(store.devices.find('a')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await expect(store.devices.create(deviceOf('a'))).rejects.toMatchObject({
      message: expect.stringMatching(
        /^The lock on the database was lost \(terminating .*\); no new work/,
      ) as string,
    });
    await vi.waitUntil(() => heard.length > 1, { timeout: 5_000, interval: 5 });
    expect(heard[1]).toBe('regained');
    await store.devices.create(deviceOf('a'));
    expect((await refusal(url)).code).toBe('DATABASE_LOCKED');
  });

  test('that another took meanwhile is not taken from it, and comes back when it goes', async () => {
    const url = await database.create();
    const store = await holdDatabase(url);
    const heard = watched(store);
    const connection = await raw(url);
    await cut(connection);
    const other = await holdDatabase(url);
    await vi.waitUntil(() => heard.length > 0, { interval: 1 });
    await vi.waitUntil(
      () =>
        store.devices.find('a').then(
          () => false,
          (error: unknown) => (error as HoldfastError).code === 'DATABASE_LOCKED',
        ),
      { timeout: 5_000, interval: 20 },
    );
    await other.devices.create(deviceOf('a'));
    await other.close();
    await vi.waitUntil(() => heard.includes('regained'), { timeout: 5_000, interval: 5 });
    expect(await store.devices.find('a')).toBeDefined();
  });

  test('a store that is closed while its lock is lost does not take it again', async () => {
    const url = await database.create();
    const store = await openStore({ url, exclusiveTo: 'test' });
    const heard = watched(store);
    await cut(await raw(url));
    await vi.waitUntil(() => heard.length > 0, { interval: 1 });
    await store.close();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(heard).toHaveLength(1);
    await holdDatabase(url);
  });

  test('is asked for before the database is changed', async () => {
    const url = await database.create();
    const connection = await raw(url);
    await connection.execute('SELECT pg_advisory_lock(1752132708)');
    expect((await refusal(url)).code).toBe('DATABASE_LOCKED');
    expect(await connection.column(`SELECT to_regclass('_prisma_migrations')`)).toEqual(['null']);
  });

  test('does not wait for ever for a server that is not there', async () => {
    const url = 'postgresql://u:secret@localhost/d?host=/nowhere';
    const error = await refusal(url);
    expect(error.code).toBe('DATABASE_UNAVAILABLE');
    expect(String(error)).not.toContain('secret');
  });
});
