import { describe, expect, it } from 'vitest';
import { enginesAndTransports } from '../support/engines.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';

interface ListedSession {
  readonly state: string;
  readonly engine: string;
  readonly export: string;
  readonly clientAddress: string;
}

describe.each(enginesAndTransports)('a connection over $transport meant for the $engine engine', (one) => {
  const { engine, env, transport } = one;

  it('is listed with that engine, its export and its address', async () => {
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
    const session = await NbdSession.open(holdfast, 'disk.img', transport);
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });

    const { code, stdout } = await holdfast.cli('session', 'list', '--json');

    expect(code).toBe(0);
    const listed = JSON.parse(stdout) as ListedSession[];
    expect(listed).toHaveLength(1);
    expect(listed[0]).toMatchObject({ state: 'STATE_SERVING', engine, export: 'exports/disk.img' });
    const client =
      transport === 'tcp' ? /^127\.0\.0\.1:\d+$/ : new RegExp(`^unix:pid=${String(process.pid)},`);
    expect(listed[0]?.clientAddress).toMatch(client);
    session.hangUp();
  });
});

describe('more connections than threads', () => {
  it('are served by the event loop beyond the last thread', async () => {
    await using holdfast = await startHoldfast({
      images: [makeImage(MIB)],
      env: { HOLDFAST_WORKER_THREADS: '1' },
    });
    const first = await NbdSession.open(holdfast, 'disk.img');
    expect(await first.read(0, 512)).toMatchObject({ error: 0 });
    const second = await NbdSession.open(holdfast, 'disk.img');
    expect(await second.read(0, 512)).toMatchObject({ error: 0 });

    const { stdout } = await holdfast.cli('session', 'list', '--json');

    const used = (JSON.parse(stdout) as ListedSession[]).map((session) => session.engine).sort();
    expect(used).toEqual(['event-loop', 'thread']);
    first.hangUp();
    second.hangUp();
  });
});
