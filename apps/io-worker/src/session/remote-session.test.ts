import { randomBytes } from 'node:crypto';
import { workerV1 } from '@holdfast/contracts';
import { Command } from '@holdfast/nbd-protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { UPSTREAM_BYTES, UpstreamServer } from '../testing/upstream-server.js';
import { WorkerScene } from '../testing/worker-scene.js';
import { parseFacts } from './session-facts.js';

const { READ, WRITE, DISC } = Command;
const never = new Promise<void>(() => undefined);

let scene: WorkerScene;
let server: UpstreamServer;

beforeEach(async () => {
  scene = await WorkerScene.start();
  server = await UpstreamServer.start();
});

const ended = (name: string) => scene.endings.find((ending) => ending.name === `sessions/${name}`)?.reason;

describe('holding an export of another server', () => {
  test('D6 is refused when it is not the size that was recorded', async () => {
    await expect(scene.holdRemote(server, { sizeBytes: 2 * UPSTREAM_BYTES })).rejects.toMatchObject({
      code: 'DEVICE_IDENTITY_MISMATCH',
    });
    expect(scene.holdings.list()).toEqual([]);
    await expect.poll(() => server.connections).toBe(0);
  });

  test('is refused when the server cannot be reached, unless it was attached before', async () => {
    await server.die();
    await expect(scene.holdRemote(server)).rejects.toMatchObject({ code: 'NBD_SERVER_UNREACHABLE' });
    await scene.holdRemote(server, { resumed: true });
    expect(scene.holdings.list()).toHaveLength(1);
  });

  test.each(['released', 'voided'])(
    'Law 2 is not held after all when it was %s while the worker connected',
    async (how) => {
      server.isSilent = true;
      const adopted = scene.holdRemote(server);
      await expect.poll(() => server.connections).toBe(1);
      const begun = performance.now();
      if (how === 'released') scene.holdings.release('devices/far/attachments/1');
      else scene.holdings.voidUnclaimed();
      await expect(adopted).rejects.toMatchObject({ code: 'NBD_SERVER_UNREACHABLE' });
      expect(performance.now() - begun).toBeLessThan(2_000);
      expect(scene.holdings.list()).toEqual([]);
    },
  );

  test('keeps no connection', async () => {
    const holding = await scene.holdRemote(server);
    await expect.poll(() => server.connections).toBe(0);
    scene.holdings.release(holding.attachment);
    expect(scene.holdings.list()).toEqual([]);
  });
});

describe('a session of an export of another server', () => {
  test('has a connection of its own, which goes with it', async () => {
    const holding = await scene.holdRemote(server);
    await expect.poll(() => server.connections).toBe(0);
    const { client, session } = await scene.serve('one', holding);
    expect(session.state).toMatchObject({ kind: 'serving', engine: 'event-loop' });
    expect(server.connections).toBe(1);
    expect((await client.ask({ type: READ, offset: 9, length: 8 })).data.toString()).toBe('upstream');
    const other = await scene.serve('other', holding);
    expect(server.connections).toBe(2);
    other.client.hangUp();
    client.send({ type: DISC });
    await expect.poll(() => ended('one')).toBe('disconnect');
    await expect.poll(() => server.connections).toBe(0);
  });

  test('is not prepared when the server cannot be reached, and leaves nothing', async () => {
    const holding = await scene.holdRemote(server, { resumed: true });
    await server.die();
    const prepared = scene.sessions.prepare(scene.definition('one', holding), randomBytes(16));
    await expect(prepared).rejects.toMatchObject({ code: 'NBD_SERVER_UNREACHABLE' });
    expect(scene.sessions.list()).toEqual([]);
    scene.holdings.release(holding.attachment);
  });

  test('that is abandoned while it connects to a silent server is over at once', async () => {
    const holding = await scene.holdRemote(server, { resumed: true });
    server.isSilent = true;
    const prepared = scene.sessions.prepare(scene.definition('one', holding), randomBytes(16));
    await expect.poll(() => server.connections).toBe(1);
    const begun = performance.now();
    scene.sessions.abandon('sessions/one');
    await expect(prepared).rejects.toMatchObject({ code: 'NBD_SERVER_UNREACHABLE' });
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(scene.sessions.list()).toEqual([]);
  });

  test('T17 is ended in bounded time while the server keeps an answer back', async () => {
    const { client } = await scene.serve('one', await scene.holdRemote(server));
    server.onRequest = () => never;
    client.send({ type: WRITE, offset: 0, payload: Buffer.from('hangs') });
    await expect.poll(() => server.types).toContain(WRITE);
    await scene.sessions.end('sessions/one', 50);
    expect(ended('one')).toBeDefined();
    await expect.poll(() => server.connections).toBe(0);
  });

  test('T17 whose client has left is fenced before the next one begins, though the server keeps an answer back', async () => {
    const holding = await scene.holdRemote(server);
    const { client } = await scene.serve('one', holding);
    server.onRequest = () => never;
    client.send({ type: WRITE, offset: 0, payload: Buffer.from('stale') });
    await expect.poll(() => server.types).toContain(WRITE);
    client.hangUp();
    await scene.sessions.prepare(scene.definition('two', holding), randomBytes(16));
    expect(ended('one')).toBeDefined();
    expect(server.connections).toBe(1);
  });

  test('D6 ends when another export comes back', async () => {
    const { client } = await scene.serve('one', await scene.holdRemote(server));
    server.served = { ...server.served, sizeBytes: UPSTREAM_BYTES / 2 };
    server.cutOff();
    await expect.poll(() => ended('one')).toBe('device-changed');
    expect(await client.isOver()).toBe(true);
  });

  test('T18 whose block size is below that of the server is refused', async () => {
    server.served = { ...server.served, blockSize: [4096, 4096, 65_536] };
    const holding = await scene.holdRemote(server);
    const session = workerV1.Session.fromPartial({ blockSizeMinimum: 512, payloadMaximum: 4096 });
    expect(() => parseFacts(session, holding)).toThrow('must be at least 4096');
    expect(parseFacts({ ...session, blockSizeMinimum: 4096 }, holding).sizeBytes).toBe(UPSTREAM_BYTES);
  });
});
