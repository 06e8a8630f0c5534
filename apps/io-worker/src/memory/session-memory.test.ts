import { createLogger } from '@holdfast/service';
import { expect, test } from 'vitest';
import { WorkerScene } from '../testing/worker-scene.js';
import { SESSION_BYTES_MIN, SessionMemory, SHARED_BYTES } from './session-memory.js';

test('a session that there is no memory for is refused with the setting, and let in when another has ended', async () => {
  const scene = await WorkerScene.start(undefined, SHARED_BYTES + 2 * SESSION_BYTES_MIN);
  const holding = await scene.hold();
  const first = await scene.serve('1', holding);
  await scene.serve('2', holding);
  await expect(scene.serve('3', holding)).rejects.toMatchObject({
    code: 'LIMIT_REACHED',
    metadata: { setting: 'HOLDFAST_WORKER_MEMORY_MAX' },
  });
  first.client.hangUp();
  await first.session.ended;
  const { client } = await scene.serve('3', holding);
  // Served with small buffers, in pieces where they must be.
  expect((await client.ask({ type: 0, offset: 0, length: 1024 * 1024 })).data).toHaveLength(1024 * 1024);
  const payload = Buffer.alloc(1024 * 1024, 'new');
  expect((await client.ask({ type: 1, offset: 0, payload })).error).toBe(0);
  expect(scene.content(6)).toBe('newnew');
});

test('a worker whose threads leave no memory for a session does not start', () => {
  const logger = createLogger('io-worker', 'silent');
  const settings = { threads: 8, sessionsMax: 10 };
  expect(() => new SessionMemory({ ...settings, memoryMax: 30_000_000 }, logger)).toThrow(
    'HOLDFAST_WORKER_MEMORY_MAX',
  );
  expect(new SessionMemory({ ...settings, memoryMax: 34_000_000 }, logger).freeBytes).toBeGreaterThan(
    SESSION_BYTES_MIN,
  );
});
