import { randomBytes } from 'node:crypto';
import { Command } from '@holdfast/nbd-protocol';
import { describe, expect, test, vi } from 'vitest';
import { requestBytes } from '../testing/nbd-client.js';
import { StuckEngine } from '../testing/stuck-engine.js';
import { WorkerScene } from '../testing/worker-scene.js';

const { READ, WRITE } = Command;
const stale = { type: WRITE, offset: 0, payload: Buffer.from('stale') };

describe('T17 before a client’s next session is prepared', () => {
  test('what it sent before it hung up is finished', async () => {
    const scene = await WorkerScene.start();
    const holding = await scene.hold();
    const { client } = await scene.serve('first', holding);
    client.socket.end(Buffer.concat([requestBytes(stale), requestBytes({ ...stale, offset: 500_000 })]));
    await new Promise((resolve) => client.socket.once('finish', resolve));
    await scene.sessions.prepare(scene.definition('next', holding), randomBytes(16));
    expect(scene.endings).toEqual([{ name: 'sessions/first', reason: 'end-of-stream' }]);
    expect(scene.content(5)).toBe('stale');
    expect(scene.content(5, 500_000)).toBe('stale');
  });

  test('what does not finish in time is fenced, and its socket shut', async () => {
    const engine = new StuckEngine();
    const scene = await WorkerScene.start(engine);
    const holding = await scene.hold();
    const { client } = await scene.serve('first', holding);
    client.hangUp();
    const started = performance.now();
    await scene.sessions.prepare(scene.definition('next', holding), randomBytes(16));
    expect(performance.now() - started).toBeGreaterThanOrEqual(950);
    expect(scene.endings).toEqual([{ name: 'sessions/first', reason: 'fenced' }]);
    expect(engine.ends).toEqual([{ stopping: false, fenced: true }]);
  });

  test('clients that are still there are left alone, and so are those of other devices', async () => {
    const scene = await WorkerScene.start();
    const [holding, other] = [
      await scene.hold(),
      await scene.hold({ attachment: 'devices/other/attachments/1' }),
    ];
    const { client } = await scene.serve('here', holding);
    const elsewhere = await scene.serve('elsewhere', other);
    elsewhere.session.control.fence();
    await scene.sessions.prepare(scene.definition('next', holding), randomBytes(16));
    expect(scene.endings).toEqual([]);
    expect((await client.ask({ type: READ, offset: 0, length: 1 })).error).toBe(0);
  });

  test('a session that is given up meanwhile is not prepared', async () => {
    const scene = await WorkerScene.start(new StuckEngine());
    const holding = await scene.hold();
    (await scene.serve('first', holding)).client.hangUp();
    const next = scene.sessions.prepare(scene.definition('next', holding), randomBytes(16));
    const outcome = expect(next).rejects.toMatchObject({
      code: 'LEASE_REFUSED',
      message: 'sessions/next was abandoned while it was prepared',
    });
    scene.sessions.abandon('sessions/next');
    await outcome;
    expect(scene.sessions.list()).toEqual([]);
  });

  test('Law 1 its lease counts as live while it waits', async () => {
    const scene = await WorkerScene.start(new StuckEngine());
    const holding = await scene.hold();
    (await scene.serve('first', holding)).client.hangUp();
    const preparation = scene.sessions.prepare(
      scene.definition('next', holding, { lease: 777n }),
      randomBytes(16),
    );
    scene.sessions.voidLeasesUpTo(1_000n);
    expect(scene.sessions.list().map(({ lease }) => lease)).toContain(777n);
    await preparation;
  });
});

describe('T17 a socket that comes late, of a client that has left', () => {
  test('is not served once a later session was prepared: its writes would land over newer ones', async () => {
    const scene = await WorkerScene.start();
    const holding = await scene.hold();
    const late = randomBytes(16);
    await scene.sessions.prepare(scene.definition('late', holding), late);
    const { client } = await scene.serve('next', holding);
    await client.ask({ type: WRITE, offset: 0, payload: Buffer.from('newer') });
    client.hangUp();
    await expect.poll(() => scene.endings.length).toBe(1);
    await scene.passSocket(late, requestBytes(stale), { hungUp: true });
    await vi.waitFor(() => {
      expect(scene.endings.at(-1)).toEqual({ name: 'sessions/late', reason: 'fenced' });
    });
    expect(scene.content(5)).toBe('newer');
  });

  test('is served when no later session was prepared', async () => {
    const scene = await WorkerScene.start();
    const holding = await scene.hold();
    const token = randomBytes(16);
    await scene.sessions.prepare(scene.definition('only', holding), token);
    await scene.passSocket(token, requestBytes(stale), { hungUp: true });
    await expect.poll(() => scene.endings.length).toBe(1);
    expect(scene.content(5)).toBe('stale');
  });

  test('is served when its client is still there', async () => {
    const scene = await WorkerScene.start();
    const holding = await scene.hold();
    const late = randomBytes(16);
    await scene.sessions.prepare(scene.definition('late', holding), late);
    await scene.serve('next', holding);
    const client = await scene.passSocket(late);
    expect((await client.ask({ type: READ, offset: 0, length: 1 })).error).toBe(0);
  });
});
