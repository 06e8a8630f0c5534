import { describe, expect, it } from 'vitest';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { requireFio, startFio } from '../support/fio.js';
import { launchHoldfast, startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listSessions } from '../support/instance-facts.js';
import { leftoversOf, nothing } from '../support/leftovers.js';
import { NbdSession } from '../support/nbd-session.js';

interface StopCase {
  readonly how: string;
  readonly ask: (holdfast: Holdfast) => void;
  readonly env: NodeJS.ProcessEnv;
}

/** Each way to ask, each engine at least once. */
const cases: readonly StopCase[] = [
  {
    how: 'SIGTERM',
    ask: (holdfast) => {
      holdfast.signal('SIGTERM');
    },
    env: {},
  },
  {
    how: 'SIGINT',
    ask: (holdfast) => {
      holdfast.signal('SIGINT');
    },
    env: { HOLDFAST_WORKER_THREADS: '0' },
  },
  {
    how: '^C in its terminal',
    ask: (holdfast) => {
      holdfast.interrupt();
    },
    env: {},
  },
];

/** It ended with 0, in order, and left no process, socket, listener or open image. */
async function expectCleanEnd(holdfast: Holdfast, image: string): Promise<void> {
  expect(await holdfast.exited()).toBe(0);
  expect(await leftoversOf(holdfast, [image])).toEqual(nothing);
  expect(holdfast.stderr()).not.toMatch(/ended \(|does not stop/);
}

describe.each(cases)('serve, asked to stop by $how', ({ ask, env }) => {
  it('T16 ends the connections of idle clients, ends with 0 and leaves nothing', async () => {
    const image = makeImage(MIB);
    await using holdfast = await startHoldfast({ images: [image], env });
    const clients = [
      await NbdSession.open(holdfast, 'disk.img', 'tcp'),
      await NbdSession.open(holdfast, 'disk.img', 'unix'),
    ];
    for (const client of clients) expect(await client.read(0, 512)).toMatchObject({ error: 0 });

    ask(holdfast);

    await expectCleanEnd(holdfast, image);
    for (const client of clients) expect(await client.stream.readToEnd()).toHaveLength(0);
  });
});

describe.skipIf(requireFio.missing).each(engines)(
  `serve, asked to stop while fio is writing, $engine engine ${requireFio.note}`,
  ({ env }) => {
    it('T16 ends with 0 and leaves nothing', async () => {
      const image = makeImage(32 * MIB, { fill: 'empty' });
      await using holdfast = await startHoldfast({ images: [image], env });
      const uri = holdfast.uri('tcp');
      const fio = startFio({ uri, connections: 4, bytesEach: 8 * MIB, blocks: '4k', endlessMs: 100_000 });
      await eventually('fio to write on four connections', async () => {
        const writing = (await listSessions(holdfast)).filter((session) => session.bytesWritten > 0n);
        return writing.length === 4;
      });

      holdfast.interrupt();

      await expectCleanEnd(holdfast, image);
      expect((await fio.finished).code).not.toBe(0);
    });
  },
);

describe('serve, asked to stop before it is ready', () => {
  it('ends with 0, announces nothing and leaves nothing', async () => {
    const image = makeImage(MIB);
    await using holdfast = await launchHoldfast({ images: [image] });
    await eventually('the first service', () => holdfast.survivors().length > 1);
    holdfast.interrupt();
    await expectCleanEnd(holdfast, image);
    expect(holdfast.stdout()).toBe('');
  });
});
