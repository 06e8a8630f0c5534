import { randomBytes } from 'node:crypto';
import { Command } from '@holdfast/nbd-protocol';
import { expect, test, vi } from 'vitest';
import { StuckEngine } from '../testing/stuck-engine.js';
import { WorkerScene } from '../testing/worker-scene.js';

const common = { export: 'exports/disk', clientAddress: '127.0.0.1:1', engine: 'event-loop' };

/** What is logged of sessions at `info` from now on. */
function informed(scene: WorkerScene): () => unknown[][] {
  const spy = vi.spyOn(scene.logger, 'info');
  return () => spy.mock.calls.filter(([, words]) => words?.startsWith('session '));
}

test('a session leaves two lines: who came for what, and what they did', async () => {
  const scene = await WorkerScene.start();
  const lines = informed(scene);
  const { client, session } = await scene.serve('one', await scene.hold());
  expect(lines()).toEqual([
    [{ session: 'sessions/one', ...common, lease: String(session.lease), readOnly: false }, 'session opened'],
  ]);
  await client.ask({ type: Command.WRITE, offset: 0, payload: Buffer.alloc(512) });
  await client.ask({ type: Command.READ, offset: 0, length: 4096 });
  await client.ask({ type: Command.READ, offset: 2 ** 40, length: 4096 });
  client.hangUp();
  await session.ended;
  expect(lines()[1]).toEqual([
    {
      session: 'sessions/one',
      ...common,
      reason: 'end-of-stream',
      durationMs: expect.any(Number) as number,
      requests: 3,
      bytesRead: 4096,
      bytesWritten: 512,
      errors: 1,
    },
    'session closed',
  ]);
});

test('the reason is the worker’s when it was the worker who ended it', async () => {
  const scene = await WorkerScene.start(new StuckEngine());
  const lines = informed(scene);
  await scene.serve('one', await scene.hold());
  await scene.sessions.stop(100);
  expect(lines()[1]?.[0]).toMatchObject({ reason: 'fenced', requests: 0 });
});

test('a session whose socket never came was none', async () => {
  const scene = await WorkerScene.start();
  const lines = informed(scene);
  await scene.sessions.prepare(scene.definition('one', await scene.hold()), randomBytes(16));
  scene.sessions.abandon('sessions/one');
  expect(lines()).toEqual([]);
});
