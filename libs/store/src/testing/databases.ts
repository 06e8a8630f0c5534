import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import type { DatabaseKind } from '../database/database-url.js';
import { openStore, type Store } from '../store.js';
import { findPostgres, startPostgres, type PostgresServer } from './postgres-server.js';

/** What a test is given of the database that it runs on. */
export interface TestDatabase {
  readonly kind: DatabaseKind;
  /** The URL of an empty database. */
  create(): Promise<string>;
  /** Opens a store, on an empty database unless `url` is given; it is closed after the test. */
  open(url?: string): Promise<Store>;
}

/** Milliseconds for making and starting a PostgreSQL cluster on a busy machine. */
const START_MS_MAX = 60_000;

/** Describes the same behaviour on SQLite and on PostgreSQL. */
export function describeDatabases(name: string, body: (database: TestDatabase) => void): void {
  describeSqlite(`${name} on SQLite`, body);
  describePostgresql(`${name} on PostgreSQL`, body);
}

export function describeSqlite(title: string, body: (database: TestDatabase) => void): void {
  describe(title, () => {
    let folder: string;
    let files = 0;
    beforeAll(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'holdfast-store-'));
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });
    const create = () => {
      files += 1;
      return Promise.resolve(`file:${folder}/${String(files)}.db`);
    };
    body({ kind: 'sqlite', create, open: opener(create) });
  });
}

/** On a real server. Where that is not installed, all of it is skipped under a name that says so. */
export function describePostgresql(title: string, body: (database: TestDatabase) => void): void {
  const bin = findPostgres();
  const note = bin === undefined ? ' (skipped: install postgresql)' : '';
  describe.skipIf(bin === undefined)(`${title}${note}`, () => {
    let server: PostgresServer | undefined;
    beforeAll(async () => {
      server = await startPostgres(bin ?? '');
    }, START_MS_MAX);
    afterAll(() => server?.stop(), START_MS_MAX);
    const create = () => server?.createDatabase() ?? Promise.reject(new Error('the server did not start'));
    body({ kind: 'postgresql', create, open: opener(create) });
  });
}

function opener(create: () => Promise<string>) {
  const stores: Store[] = [];
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });
  return async (url?: string) => {
    const store = await openStore({ url: url ?? (await create()) });
    stores.push(store);
    return store;
  };
}
