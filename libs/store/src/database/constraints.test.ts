import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import type { Store } from '../store.js';
import { openRaw } from '../testing/raw-connection.js';
import { attach, deviceOf, exportOf, identified, identityOf, leaseOf } from '../testing/records.js';

/** What a column of an attachment is, unless a test says otherwise. */
const columns = {
  id: `'new'`,
  deviceId: `'b'`,
  state: `'ATTACHING'`,
  epoch: '1',
  bootId: 'NULL',
  major: 'NULL',
  minor: 'NULL',
  inode: 'NULL',
  diskseq: 'NULL',
  liveIdentity: 'NULL',
  sizeBytes: '0',
  updateTime: `'2026-01-01 00:00:00'`,
};
const whole = { bootId: `'boot'`, major: '7', minor: '99', inode: `'0'`, diskseq: `'1'` };

function insertAttachment(change: Partial<typeof columns>): string {
  const row = { ...columns, ...change };
  const names = Object.keys(row).map((name) => `"${name}"`);
  return `INSERT INTO "Attachment" (${names.join(', ')}) VALUES (${Object.values(row).join(', ')})`;
}

function insertLease(change: Record<string, string>): string {
  const row = {
    deviceId: `'a'`,
    attachmentId: `(SELECT "id" FROM "Attachment" WHERE "deviceId" = 'a')`,
    epoch: '1',
    access: `'READ_ONLY'`,
    session: `'s2'`,
    workerInstance: `'w'`,
    ...change,
  };
  const names = Object.keys(row).map((name) => `"${name}"`);
  return `INSERT INTO "Lease" (${names.join(', ')}) VALUES (${Object.values(row).join(', ')})`;
}

function insertProgram(state: string): string {
  return `INSERT INTO "Program" ("name", "state", "source", "log") VALUES ('p', '${state}', '', '')`;
}

function insertRow(change: Record<string, string>): string {
  const row = { key: `'k'`, programNumber: '1', kind: `'U'`, mapNumber: '1', field: `'f'`, ...change };
  const names = Object.keys(row).map((name) => `"${name}"`);
  return `INSERT INTO "DependencyRow" (${names.join(', ')}) VALUES (${Object.values(row).join(', ')})`;
}

/** An allocator, a map that holds one of its chunks, and a loaded program. */
async function allocate(store: Store): Promise<void> {
  const pool = { deviceId: 'c', offset: 0n, chunkBytes: 4096, capacity: 10 };
  const { number: allocatorNumber } = await store.allocators.create({ name: 'x', pool });
  await store.allocators.activate(allocatorNumber);
  const { number: mapNumber } = await store.maps.create({ name: 'm', entries: 2, fields: ['f'] });
  const value = { mapNumber, field: 'f', entry: 0, allocatorNumber, chunk: 7, generation: 1 };
  await store.chunks.apply({ allocatorNumber, pages: [], cleared: [], stored: [value] });
}

/** Statements that the database itself refuses, whoever sends them, and by what. */
const refused: Record<string, [string, RegExp]> = {
  'a second attachment of a device': [insertAttachment({ deviceId: `'a'` }), /unique/i],
  'two live attachments of one identity': [
    insertAttachment({
      ...whole,
      liveIdentity: `(SELECT "liveIdentity" FROM "Attachment" WHERE "deviceId" = 'a')`,
    }),
    /unique/i,
  ],
  'a state that is not in the table': [insertAttachment({ state: `'OPEN'` }), /state_check/],
  'an epoch below 1': [insertAttachment({ epoch: '0' }), /epoch_check/],
  'a size below 0': [insertAttachment({ sizeBytes: '-1' }), /sizeBytes_check/],
  'a size above 2^53 − 1': [insertAttachment({ sizeBytes: '9007199254740992' }), /sizeBytes_check/],
  'half an identity': [insertAttachment({ ...whole, minor: 'NULL' }), /identity_check/],
  'a diskseq without the rest': [insertAttachment({ diskseq: `'1'` }), /identity_check/],
  'a connected device that nobody identified': [
    insertAttachment({ state: `'CONNECTED'` }),
    /liveIdentity_check/,
  ],
  'a live identity after the end': [
    insertAttachment({ ...whole, state: `'LOST'`, liveIdentity: `'k'` }),
    /liveIdentity_check/,
  ],
  'an attachment of no device': [insertAttachment({ deviceId: `'none'` }), /foreign ?key/i],
  'an unknown access': [insertLease({ access: `'WRITE'` }), /access_check/],
  'a second lease of a session': [insertLease({ session: `'s1'` }), /unique/i],
  'a lease on no attachment': [insertLease({ attachmentId: `'none'` }), /foreign ?key/i],
  'a lease number below 1': [insertLease({ number: '0' }), /number_check/],
  'removing a device that has leases': [`DELETE FROM "Device" WHERE "id" = 'a'`, /foreign ?key/i],
  'removing an attachment that has leases': [
    `DELETE FROM "Attachment" WHERE "deviceId" = 'a'`,
    /foreign ?key/i,
  ],
  'removing a device that is published': [`DELETE FROM "Device" WHERE "id" = 'b'`, /foreign ?key/i],
  'a device of an unknown kind': [`UPDATE "Device" SET "kind" = 'tape'`, /kind_check/],
  'a limit of connections below 0': [`UPDATE "Export" SET "connectionsMax" = -1`, /connectionsMax_check/],
  'a limit of a client below 0': [
    `UPDATE "Export" SET "clientConnectionsMax" = -1`,
    /clientConnectionsMax_check/,
  ],
  'a minimum block size of 0': [`UPDATE "Export" SET "blockSizeMinimum" = 0`, /blockSizeMinimum_check/],
  'a minimum block size above 64 KiB': [`UPDATE "Export" SET "blockSizeMinimum" = 65537`, /_check/],
  'a preferred block size below 512': [
    `UPDATE "Export" SET "blockSizePreferred" = 256`,
    /blockSizePreferred_check/,
  ],
  'a preferred block size below the minimum': [
    `UPDATE "Export" SET "blockSizeMinimum" = 8192`,
    /blockSizePreferred_check/,
  ],
  'a maximum payload below the preferred block size': [
    `UPDATE "Export" SET "payloadMaximum" = 4095`,
    /payloadMaximum_check/,
  ],
  'a limit of requests a second below 0': [`UPDATE "Export" SET "iops" = -1`, /iops_check/],
  'a limit of bytes a second below 0': [`UPDATE "Export" SET "bytesPerSecond" = -1`, /bytesPerSecond_check/],
  'a burst of no time': [`UPDATE "Export" SET "burstMs" = 0`, /burstMs_check/],
  'an epoch of a device below 0': [`UPDATE "Device" SET "epoch" = -1`, /epoch_check/],
  'removing a device that is reserved': [`DELETE FROM "Device" WHERE "id" = 'c'`, /foreign ?key/i],
  'a second reservation of one holder': [
    `INSERT INTO "Reservation" ("deviceId", "holder") VALUES ('c', 'allocators/x')`,
    /unique/i,
  ],
  'a state that allocators have not': [`UPDATE "Allocator" SET "state" = 'GONE'`, /state_check/],
  'an offset of memory': [`UPDATE "Allocator" SET "deviceId" = NULL, "offset" = 1`, /offset_check/],
  'an allocator of no chunks': [`UPDATE "Allocator" SET "capacity" = 0`, /capacity_check/],
  'removing an allocator before its chunks': [`DELETE FROM "Allocator"`, /foreign ?key/i],
  'removing a map before what it holds': [`DELETE FROM "HandleMap"`, /foreign ?key/i],
  'a map of no entries': [`UPDATE "HandleMap" SET "entries" = 0`, /entries_check/],
  'a handle of a chunk that is free': [`UPDATE "MapValue" SET "generation" = 2`, /generation_check/],
  'one chunk in two slots': [
    `INSERT INTO "MapValue" ("mapNumber", "field", "entry", "allocatorNumber", "chunk", "generation")
      VALUES (1, 'f', 1, 1, 7, 1)`,
    /unique/i,
  ],
  'two loaded programs of one name': [insertProgram('LOADED'), /unique/i],
  'a program in an unknown state': [insertProgram('RUNNING'), /state_check/],
  'a row of an unknown kind': [insertRow({ kind: `'X'` }), /kind_check/],
  'an S row without an allocator': [insertRow({ kind: `'S'` }), /kind_check/],
  'a U row with an allocator': [insertRow({ allocatorNumber: '1' }), /kind_check/],
  'an E row of one field': [insertRow({ kind: `'E'`, otherMapNumber: '1' }), /kind_check/],
  'a row of no program': [insertRow({ programNumber: '99' }), /foreign ?key/i],
};

describeDatabases('the database itself', (database) => {
  test('refuses what would break a promise', async () => {
    const url = await database.create();
    const store = await database.open(url);
    await attach(store, 'a');
    await store.leases.grant(leaseOf('a', 's1'));
    await store.devices.create(deviceOf('b'));
    await store.exports.create(exportOf('x', { deviceId: 'b' }));
    await attach(store, 'c');
    await store.reservations.reserve('c', 'allocators/x');
    await allocate(store);
    const raw = await openRaw(url);
    try {
      await raw.execute(insertProgram('LOADED'));
      for (const [what, [sql, reason]] of Object.entries(refused)) {
        await expect(raw.execute(sql), what).rejects.toThrow(reason);
      }
      // The same statements are taken once nothing is wrong with them.
      await raw.execute(insertAttachment({}));
      await raw.execute(`DELETE FROM "Attachment" WHERE "id" = 'new'`);
      await raw.execute(insertAttachment({ ...whole, state: `'DETACHING'`, liveIdentity: `'k'` }));
      await raw.execute(insertLease({}));
      await raw.execute(insertProgram('UNLOADED'));
      await raw.execute(insertRow({}));
      await raw.execute(insertRow({ key: `'s'`, kind: `'S'`, allocatorNumber: '1' }));
      await expect(raw.execute(insertRow({})), 'a row that says the same').rejects.toThrow(/unique/i);
      await raw.execute(insertRow({ key: `'e'`, kind: `'E'`, otherMapNumber: '1', otherField: `'g'` }));
    } finally {
      await raw.close();
    }
  });

  test('forgets the last attachment together with its device', async () => {
    const url = await database.create();
    const store = await database.open(url);
    await store.devices.create(deviceOf('a'));
    const { attachment } = await store.attachments.begin('a');
    await store.attachments.recordIdentity(attachment.id, identified(identityOf(1)));
    const raw = await openRaw(url);
    await raw.execute(`DELETE FROM "Device" WHERE "id" = 'a'`);
    expect(await raw.column('SELECT "id" FROM "Attachment"')).toEqual([]);
    await raw.close();
  });
});
