import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import { openMigrationSession } from '../testing/migration-session.js';
import { openRaw } from '../testing/raw-connection.js';
import { applyMigrations } from './apply-migrations.js';
import type { Migration } from './migration-files.js';

function migrationOf(name: string, sql: string): Migration {
  return { name, checksum: `checksum of ${name}`, sql };
}

describeDatabases('applying migrations', (database) => {
  async function apply(url: string, migrations: Migration[]): Promise<string[]> {
    const { session, close } = await openMigrationSession(url);
    const told: string[] = [];
    try {
      await applyMigrations(session, migrations, (name) => told.push(name));
    } finally {
      await close();
    }
    return told;
  }

  async function tablesOf(url: string): Promise<string[]> {
    const raw = await openRaw(url);
    const tables = await raw.column(
      database.kind === 'sqlite'
        ? `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`
        : `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
    );
    await raw.close();
    return tables;
  }

  const one = migrationOf('1', 'CREATE TABLE one (id INTEGER PRIMARY KEY); INSERT INTO one VALUES (1), (2);');
  const two = migrationOf(
    '2',
    '-- a comment; with a semicolon\nCREATE TABLE two (id INTEGER REFERENCES one(id));',
  );

  test('a later version applies only what is missing', async () => {
    const url = await database.create();
    expect(await apply(url, [one])).toEqual(['1']);
    expect(await apply(url, [one, two])).toEqual(['2']);
    expect(await tablesOf(url)).toEqual(['_prisma_migrations', 'one', 'two']);
  });

  test('Law 2: all or none: a failure in the last one leaves the database as it was', async () => {
    const url = await database.create();
    const broken = migrationOf('3', 'CREATE TABLE three (id INTEGER); INSERT INTO nowhere VALUES (1);');
    await expect(apply(url, [one, two, broken])).rejects.toThrow();
    expect(await tablesOf(url)).toEqual([]);
    expect(await apply(url, [one, two])).toEqual(['1', '2']);
  });

  test('a migration that leaves rows which refer to nothing is undone', async () => {
    const url = await database.create();
    await apply(url, [one, two]);
    const dangling = migrationOf('3', 'INSERT INTO two VALUES (99);');
    await expect(apply(url, [one, two, dangling])).rejects.toThrow();
    const raw = await openRaw(url);
    expect(await raw.column('SELECT count(*) FROM two')).toEqual(['0']);
    await raw.close();
  });

  test.runIf(database.kind === 'sqlite')(
    'a table is made anew, as Prisma does it, without losing what refers to it',
    async () => {
      const url = await database.create();
      await apply(url, [one, two, migrationOf('3', 'INSERT INTO two VALUES (1), (2);')]);
      const redefine = `
      PRAGMA defer_foreign_keys=ON; PRAGMA foreign_keys=OFF;
      CREATE TABLE new_one (id INTEGER PRIMARY KEY, note TEXT);
      INSERT INTO new_one (id) SELECT id FROM one;
      DROP TABLE one; ALTER TABLE new_one RENAME TO one;
      PRAGMA foreign_keys=ON; PRAGMA defer_foreign_keys=OFF;`;
      const all = [
        one,
        two,
        migrationOf('3', 'INSERT INTO two VALUES (1), (2);'),
        migrationOf('4', redefine),
      ];
      expect(await apply(url, all)).toEqual(['4']);
      const raw = await openRaw(url);
      expect(
        await raw.column('SELECT count(*) FROM two JOIN one ON one.id = two.id WHERE note IS NULL'),
      ).toEqual(['2']);
      await raw.close();
    },
  );
});
