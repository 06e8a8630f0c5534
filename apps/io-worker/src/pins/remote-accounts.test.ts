import { Command } from '@holdfast/nbd-protocol';
import { beforeEach, expect, test } from 'vitest';
import { UpstreamServer } from '../testing/upstream-server.js';
import { WorkerScene } from '../testing/worker-scene.js';
import { siteName } from './pin-sites.js';

const { READ, WRITE } = Command;

let scene: WorkerScene;
let server: UpstreamServer;

// That every account balances at the end is checked by the scene.
beforeEach(async () => {
  scene = await WorkerScene.start();
  server = await UpstreamServer.start();
});

const sitesNow = () => scene.ledger.outstanding().map(({ acquireSite }) => siteName(acquireSite));

/** A session whose next request the other server does not answer. */
async function unanswered(request: { type: number; length?: number; payload?: Buffer }) {
  const served = await scene.serve('one', await scene.holdRemote(server));
  let answer: () => void = () => undefined;
  server.onRequest = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const before = server.requests.length;
  served.client.send({ offset: 0, ...request });
  await expect.poll(() => server.requests.length).toBeGreaterThan(before);
  return {
    ...served,
    answer: () => {
      answer();
    },
  };
}

test.each([
  { type: READ, length: 4096, site: 'event-loop.read' },
  { type: WRITE, payload: Buffer.alloc(4096), site: 'event-loop.write' },
])('E3 what goes to another server is pinned until it answers: $site', async ({ site, ...request }) => {
  const { client, answer } = await unanswered(request);
  expect(sitesNow()).toEqual([site]);
  expect(scene.ledger.outstanding()[0]?.bytes).toBe(4096);
  answer();
  expect((await client.reply()).error).toBe(0);
  await expect.poll(sitesNow).toEqual([]);
});

test('E3 stays pinned while the connection is lost and the request is sent again', async () => {
  const { client } = await unanswered({ type: WRITE, payload: Buffer.alloc(4096) });
  server.onRequest = () => undefined;
  server.cutOff();
  expect(sitesNow()).toEqual(['event-loop.write']);
  expect((await client.reply()).error).toBe(0);
  await expect.poll(sitesNow).toEqual([]);
  expect(scene.ledger.totals().variants.pinned).toMatchObject({ acquiredBytes: 4096 + 16 });
});

test('E3 is released once when the session is cut off, though the server never answers', async () => {
  const { session } = await unanswered({ type: READ, length: 4096 });
  expect(sitesNow()).toEqual(['event-loop.read']);
  await scene.sessions.end(session.definition.name, 0);
  expect(sitesNow()).toEqual([]);
  expect(scene.endings).toMatchObject([{ name: 'sessions/one' }]);
  expect(scene.ledger.violations()).toEqual([]);
  scene.holdings.release(session.definition.holding.attachment);
});
