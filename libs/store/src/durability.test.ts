import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HoldfastError } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { openStore, type Store } from './store.js';
import { Child } from './testing/child.js';
import { describeDatabases } from './testing/databases.js';
import { openRaw } from './testing/raw-connection.js';
import { attach, deviceOf } from './testing/records.js';

const KILLS = 3;

describeDatabases('a process that is killed', (database) => {
  test('Law 2: kill -9 right after a grant was answered: the lease is there, and so are all before it', async () => {
    const url = await database.create();
    const store = await database.open(url);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const deviceId = `device-${String(kill)}`;
      await attach(store, deviceId);
      const child = new Child('grant-leases', [url, deviceId]);
      const answered: bigint[] = [];
      while (answered.length < 5 + kill * 7) answered.push(BigInt((await child.line()) ?? ''));
      await child.kill();
      const { items } = await store.leases.list({ deviceId, pageSize: 1000 });
      const live = items.map(({ number }) => number);
      expect(live).toEqual(expect.arrayContaining(answered));
      // Law 1: nobody asked for their release, so they still hold the device.
      await expect(store.attachments.beginDetach(deviceId)).rejects.toMatchObject({ code: 'DEVICE_IN_USE' });
      await store.leases.release(live);
      // Nothing of the dead process is in the way.
      expect(await store.attachments.beginDetach(deviceId)).toMatchObject({ kind: 'detaching' });
    }
  }, 60_000);
});

/** Mounts a small file system; answers with what takes it away, or nothing where that is not allowed. */
function mountTiny(folder: string): (() => void) | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1M', 'tmpfs', folder], { stdio: 'ignore' });
    return () => execFileSync('umount', [folder]);
  } catch {
    return undefined;
  }
}

describe('a disk that is full', () => {
  test('Law 2: is a clear error; what was answered before is there, and it goes on once there is room', async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-full-'));
    const unmount = mountTiny(folder);
    context.onTestFinished(() => {
      unmount?.();
      rmSync(folder, { recursive: true });
    });
    if (unmount === undefined) {
      context.skip('mounting a small file system needs root');
      return;
    }
    const ballast = path.join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(300_000));
    const url = `file:${folder}/a.db`;
    let store = await openStore({ url });
    const { answered, error } = await createUntilFull(store);
    expect(error).toMatchObject({
      code: 'DATABASE_FAILED',
      message: 'The database failed: database or disk is full (SQLITE_FULL)',
    });
    expect(answered.length).toBeGreaterThan(5);
    // A transaction of several statements fails as clearly, and the store stays usable.
    await expect(store.attachments.begin(answered[0] ?? '')).rejects.toBeInstanceOf(HoldfastError);
    expect(await store.devices.find(answered[0] ?? '')).toMatchObject({ wantedAttached: false });

    rmSync(ballast);
    await store.devices.create(deviceOf('after'));
    await store.close();

    const raw = await openRaw(url);
    expect(await raw.column('PRAGMA integrity_check')).toEqual(['ok']);
    await raw.close();
    store = await openStore({ url });
    const found = (await store.devices.list({ pageSize: 1000 })).items.map(({ id }) => id);
    expect(found).toEqual([...answered, 'after'].sort());
    await store.close();
  });
});

async function createUntilFull(store: Store): Promise<{ answered: string[]; error: unknown }> {
  const answered: string[] = [];
  for (let n = 0; n < 1000; n += 1) {
    const id = `device-${String(n)}`;
    try {
      await store.devices.create(deviceOf(id, { backing: { kind: 'file', path: `/${'x'.repeat(4000)}` } }));
    } catch (error) {
      return { answered, error };
    }
    answered.push(id);
  }
  return { answered, error: undefined };
}
