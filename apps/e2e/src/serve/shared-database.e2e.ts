import path from 'node:path';
import { findPostgres, startPostgres, type PostgresServer } from '@holdfast/store/testing/postgres-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finished } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { runHoldfast } from '../support/holdfast-program.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases } from '../support/instance-facts.js';
import { NbdSession } from '../support/nbd-session.js';
import { requirement } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';

const postgres = findPostgres();
const needs = requirement({ postgresql: postgres !== undefined });

/** Another instance, with images and a state folder of its own, on the same database; it runs to its end. */
async function serveToo(url: string): Promise<Finished> {
  const state = path.join(scratchFolder(), 'state');
  const listen = `127.0.0.1:${String(await freePort())}`;
  const args = ['serve', '--state', state, '--listen', listen, makeImage(MIB)];
  return runHoldfast(args, { DATABASE_URL: url });
}

/** That a second instance is refused by name, and that the first has lost nothing by it. */
async function keepsTheOther(holdfast: Holdfast, url: string): Promise<void> {
  const session = await NbdSession.open(holdfast, 'disk.img');
  const refused = await serveToo(url);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(
    /^holdfast: The database \S+ is in use by another device-registry: [^\n]*; stop it, or give each its own by DATABASE_URL\.\n$/,
  );
  expect(refused.stderr).toContain(
    `holdfast device-registry (pid ${String(holdfast.pidOf('device-registry'))}`,
  );
  expect(await listLeases(holdfast)).toHaveLength(1);
  expect(await session.write(0, Buffer.alloc(512, 1))).toMatchObject({ error: 0 });
  session.hangUp();
}

describe('two instances on one SQLite file', () => {
  it('the second is refused by name, the first goes on; after kill -9 the next has it', async () => {
    const url = `file:${path.join(scratchFolder(), 'shared.db')}`;
    const env = { DATABASE_URL: url };
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
    await keepsTheOther(holdfast, url);
    const killed = holdfast.kill('device-registry');
    await holdfast.restarted('device-registry', killed);
    await holdfast.killEverything();
    await using next = await startHoldfast({ images: [makeImage(MIB)], env });
    expect(next.exports()).toEqual(['disk.img']);
  });
});

describe.skipIf(needs.missing)(`two instances on one PostgreSQL database ${needs.note}`, () => {
  let server: PostgresServer | undefined;

  beforeAll(async () => {
    server = await startPostgres(postgres ?? '');
  });
  afterAll(() => server?.stop());

  it('the second is refused by name, the first goes on; after kill -9 the next has it', async () => {
    const url = (await server?.createDatabase()) ?? '';
    const env = { DATABASE_URL: url };
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
    await keepsTheOther(holdfast, url);
    const killed = holdfast.kill('device-registry');
    await holdfast.restarted('device-registry', killed);
    await eventually('leases again', () =>
      NbdSession.open(holdfast, 'disk.img').then(
        (session) => {
          session.hangUp();
          return true;
        },
        () => false,
      ),
    );
    await holdfast.killEverything();
    await using next = await startHoldfast({ images: [makeImage(MIB)], env });
    expect(next.exports()).toEqual(['disk.img']);
  });
});
