import { beforeAll, describe, expect, it } from 'vitest';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { transports } from '../support/ready-line.js';

interface ListedSession {
  readonly state: string;
  readonly engine: string;
  readonly export: string;
  readonly clientAddress: string;
}

describe.each(engines)('with the $engine engine wanted', ({ engine, env }) => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
  });

  it.each(transports)(
    'a connection over %s is listed with it, its export and its address',
    async (transport) => {
      const session = await NbdSession.open(holdfast, 'disk.img', transport);
      expect(await session.read(0, 512)).toMatchObject({ error: 0 });

      const client =
        transport === 'tcp' ? /^127\.0\.0\.1:\d+$/ : new RegExp(`^unix:pid=${String(process.pid)},`);
      const mine = (await sessionsOf(holdfast)).filter(({ clientAddress }) => client.test(clientAddress));

      expect(mine).toHaveLength(1);
      expect(mine[0]).toMatchObject({ state: 'STATE_SERVING', engine, export: 'exports/disk.img' });
      session.hangUp();
    },
  );
});

describe('with fewer threads than connections', () => {
  it('the event loop serves those beyond the last thread', async () => {
    await using holdfast = await startHoldfast({
      images: [makeImage(MIB)],
      env: { HOLDFAST_WORKER_THREADS: '1' },
    });
    const first = await NbdSession.open(holdfast, 'disk.img');
    expect(await first.read(0, 512)).toMatchObject({ error: 0 });
    const second = await NbdSession.open(holdfast, 'disk.img');
    expect(await second.read(0, 512)).toMatchObject({ error: 0 });

    const used = (await sessionsOf(holdfast)).map((session) => session.engine);

    expect(used.sort()).toEqual(['event-loop', 'thread']);
    first.hangUp();
    second.hangUp();
  });
});

async function sessionsOf(holdfast: Holdfast): Promise<ListedSession[]> {
  const { code, stdout } = await holdfast.cli('session', 'list', '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout) as ListedSession[];
}
