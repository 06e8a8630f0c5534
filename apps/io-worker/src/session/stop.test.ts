import { randomBytes } from 'node:crypto';
import { Command, NbdError } from '@holdfast/nbd-protocol';
import { expect, test } from 'vitest';
import { StuckEngine } from '../testing/stuck-engine.js';
import { WorkerScene } from '../testing/worker-scene.js';

const { READ, WRITE } = Command;

test('T16 a worker that stops answers ESHUTDOWN, then ends its sessions, and says so to whoever watches', async () => {
  const scene = await WorkerScene.start();
  const holding = await scene.hold();
  const { client } = await scene.serve('one', holding);
  let completed = false;
  scene.sessions.endings.subscribe({ complete: () => (completed = true) });
  await client.ask({ type: WRITE, offset: 0, payload: Buffer.from('done') });
  const stopped = scene.sessions.stop(5_000);
  const reply = await client.ask({ type: WRITE, offset: 0, payload: Buffer.from('late') });
  expect(reply.error).toBe(NbdError.ESHUTDOWN);
  expect(await client.isOver()).toBe(true);
  await stopped;
  expect(scene.content(4)).toBe('done');
  expect(scene.endings).toEqual([{ name: 'sessions/one', reason: 'end-of-stream' }]);
  expect(completed).toBe(true);
});

test('T16 a client that stays silent is ended after a moment', async () => {
  const scene = await WorkerScene.start();
  const { client } = await scene.serve('one', await scene.hold());
  const started = performance.now();
  await scene.sessions.stop(5_000);
  expect(performance.now() - started).toBeLessThan(3_000);
  expect(await client.isOver()).toBe(true);
});

test('T16 a session that is only prepared is given up at once', async () => {
  const scene = await WorkerScene.start();
  await scene.sessions.prepare(scene.definition('one', await scene.hold()), randomBytes(16));
  await scene.sessions.stop(5_000);
  expect(scene.endings).toEqual([{ name: 'sessions/one', reason: 'abandoned' }]);
});

test('T16 what does not finish within the time to drain is fenced, and only then', async () => {
  const engine = new StuckEngine();
  const scene = await WorkerScene.start(engine);
  const holding = await scene.hold();
  await scene.serve('one', holding);
  await scene.serve('two', holding);
  const started = performance.now();
  await scene.sessions.stop(400);
  expect(performance.now() - started).toBeGreaterThanOrEqual(390);
  expect(engine.ends).toEqual([
    { stopping: true, fenced: true },
    { stopping: true, fenced: true },
  ]);
  scene.holdings.closeAll();
});

test('a worker without sessions stops at once', async () => {
  const scene = await WorkerScene.start();
  const started = performance.now();
  await scene.sessions.stop(10_000);
  expect(performance.now() - started).toBeLessThan(150);
});

test('T15 replies under way reach a client that is slow to read them', async () => {
  const scene = await WorkerScene.start();
  const { client } = await scene.serve('one', await scene.hold());
  const reads = Array.from({ length: 64 }, () => ({ type: READ, offset: 0, length: 256 * 1024 }));
  client.send(...reads);
  const first = await client.reply();
  const stopped = scene.sessions.stop(10_000);
  for (let i = 1; i < reads.length; i++) expect((await client.reply()).data.length).toBe(first.data.length);
  await stopped;
});
