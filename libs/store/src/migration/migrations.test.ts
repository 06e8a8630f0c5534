import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openStore } from '../store.js';
import { Child } from '../testing/child.js';
import { describeDatabases } from '../testing/databases.js';
import { openMigrationSession } from '../testing/migration-session.js';
import { openRaw, type RawConnection } from '../testing/raw-connection.js';
import { deviceOf, exportOf } from '../testing/records.js';
import { applyMigrations } from './apply-migrations.js';
import { readMigrations } from './migration-files.js';

const PROCESSES = 4;

describeDatabases('migrations', (database) => {
  const raws: RawConnection[] = [];
  afterEach(async () => {
    await Promise.all(raws.splice(0).map((raw) => raw.close()));
  });
  async function raw(url: string) {
    const connection = await openRaw(url);
    raws.push(connection);
    return connection;
  }

  test('an empty database gets all of them, once, and each is told', async () => {
    const url = await database.create();
    const names = (await readMigrations(database.kind)).map(({ name }) => name);
    const told: string[] = [];
    await (await openStore({ url, onMigration: (name) => told.push(name) })).close();
    expect(told).toEqual(names);
    await (await openStore({ url, onMigration: (name) => told.push(name) })).close();
    expect(told).toEqual(names);
  });

  test('the table is as Prisma writes it', async () => {
    const url = await database.create();
    await (await openStore({ url })).close();
    const table = await raw(url);
    const migrations = await readMigrations(database.kind);
    for (const { checksum } of migrations) expect(checksum).toMatch(/^[0-9a-f]{64}$/);
    const finished =
      'finished_at IS NOT NULL AND rolled_back_at IS NULL AND logs IS NULL AND applied_steps_count = 1';
    const where = `WHERE ${finished} AND started_at IS NOT NULL AND length(id) = 36`;
    const select = `SELECT migration_name || ' ' || checksum FROM _prisma_migrations ${where} ORDER BY migration_name`;
    expect(await table.column(select)).toEqual(migrations.map(({ name, checksum }) => `${name} ${checksum}`));
  });

  test('several processes that start at once: one applies, all work', async () => {
    const url = await database.create();
    const children = Array.from({ length: PROCESSES }, () => new Child('open-store', [url]));
    try {
      for (const child of children) expect(await child.line()).toBe('ready');
      for (const child of children) child.say('go');
      const applied = await Promise.all(
        children.map(async (child) => JSON.parse((await child.line()) ?? '') as string[]),
      );
      const names = (await readMigrations(database.kind)).map(({ name }) => name);
      expect(applied.filter((told) => told.length > 0)).toEqual([names]);
    } finally {
      await Promise.all(children.map((child) => child.kill()));
    }
    const shipped = await readMigrations(database.kind);
    const count = await (await raw(url)).column('SELECT count(*) FROM _prisma_migrations');
    expect(count).toEqual([String(shipped.length)]);
    const store = await database.open(url);
    expect((await store.devices.list({ pageSize: 10 })).items).toHaveLength(PROCESSES);
  }, 60_000);

  test('several stores of one process that open at once', async () => {
    const url = await database.create();
    const stores = await Promise.all(Array.from({ length: PROCESSES }, () => database.open(url)));
    await Promise.all(stores.map((store, index) => store.devices.create(deviceOf(String(index)))));
    expect((await stores[0]?.devices.list({ pageSize: 10 }))?.items).toHaveLength(PROCESSES);
  });

  test('exports of an older version stay as open as they were', async () => {
    const url = await database.create();
    const [first] = await readMigrations(database.kind);
    if (first === undefined) throw new Error('there are migrations');
    const { session, close } = await openMigrationSession(url);
    await applyMigrations(session, [first], () => undefined);
    await close();
    const device = `INSERT INTO "Device" ("id", "kind", "path", "readOnly", "transient")`;
    const published = `INSERT INTO "Export" ("id", "deviceId", "readOnly", "description", "transient")`;
    const old = await raw(url);
    await old.execute(`${device} VALUES ('a', 'file', '/a', false, false)`);
    await old.execute(`${published} VALUES ('x', 'a', true, 'old', false)`);
    const { createTime, rateRevision, ...definition } = await (await database.open(url)).exports.get('x');
    expect(definition).toEqual(exportOf('x', { readOnly: true, description: 'old' }));
    expect(createTime).toBeInstanceOf(Date);
    expect(rateRevision).toBe(0);
  });

  test('devices of an older version stay files, with their attachments, leases and exports', async () => {
    const url = await database.create();
    const { session, close } = await openMigrationSession(url);
    await applyMigrations(session, (await readMigrations(database.kind)).slice(0, 2), () => undefined);
    await close();
    const old = await raw(url);
    await old.execute(`INSERT INTO "Device" ("id", "kind", "path", "readOnly", "transient", "epoch")
      VALUES ('a', 'file', '/a', false, true, 7)`);
    await old.execute(`INSERT INTO "Attachment" ("id", "deviceId", "state", "epoch", "updateTime")
      VALUES ('1', 'a', 'LOST', 7, CURRENT_TIMESTAMP)`);
    await old.execute(`INSERT INTO "Lease" ("deviceId", "attachmentId", "epoch", "access", "session", "workerInstance")
      VALUES ('a', '1', 7, 'READ_ONLY', 's', 'w')`);
    const store = await database.open(url);
    expect(await store.devices.get('a')).toMatchObject({
      backing: { kind: 'file', path: '/a' },
      transient: true,
      attachment: { id: '1', epoch: 7n, verified: false },
    });
    expect(await store.leases.listAll()).toHaveLength(1);
    await expect(store.devices.remove('a')).rejects.toMatchObject({ code: 'DEVICE_IN_USE' });
  });

  const tampering = {
    'an applied migration that differs': `UPDATE _prisma_migrations SET checksum = 'other'`,
    'a migration of a later version': `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
      VALUES ('1', 'c', '99990101000000_later', CURRENT_TIMESTAMP)`,
    'a migration that another tool left unfinished': `UPDATE _prisma_migrations SET finished_at = NULL`,
  };
  for (const [what, sql] of Object.entries(tampering)) {
    test(`${what} is refused by name, and nothing is touched`, async () => {
      const url = await database.create();
      await (await openStore({ url })).close();
      const table = await raw(url);
      await table.execute(sql);
      const [first] = await readMigrations(database.kind);
      const name = what.includes('later') ? '99990101000000_later' : first?.name;
      await expect(openStore({ url })).rejects.toMatchObject({
        code: 'MIGRATION_CHANGED',
        metadata: { migration: name },
      });
      expect(await table.column('SELECT count(*) FROM "Device"')).toEqual(['0']);
    });
  }

  test('one that was rolled back by hand does not count', async () => {
    const url = await database.create();
    await (await openStore({ url })).close();
    await (
      await raw(url)
    ).execute(`INSERT INTO _prisma_migrations (id, checksum, migration_name, rolled_back_at)
      VALUES ('1', 'c', '20200101000000_withdrawn', CURRENT_TIMESTAMP)`);
    await (await openStore({ url })).close();
  });
});

test('migrations are read in the order of their names, with the checksum of their bytes', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-migrations-'));
  try {
    for (const name of ['20260102000000_b', '20260101000000_a']) {
      mkdirSync(path.join(folder, name));
      writeFileSync(path.join(folder, name, 'migration.sql'), 'abc');
    }
    writeFileSync(path.join(folder, 'migration_lock.toml'), '');
    const checksum = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(await readMigrations('sqlite', folder)).toEqual([
      { name: '20260101000000_a', checksum, sql: 'abc' },
      { name: '20260102000000_b', checksum, sql: 'abc' },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
