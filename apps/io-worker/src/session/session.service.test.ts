import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { HoldfastError } from '@holdfast/foundation';
import { openDevice } from '@holdfast/linux';
import { Command } from '@holdfast/nbd-protocol';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Holding } from '../holding/holding.js';
import { SESSIONS_MAX, WorkerScene } from '../testing/worker-scene.js';

const { READ, WRITE, DISC } = Command;

let scene: WorkerScene;
let holding: Holding;

beforeEach(async () => {
  scene = await WorkerScene.start();
  holding = await scene.hold();
});

const prepare = (name: string, change = {}, token = randomBytes(16)) =>
  scene.sessions.prepare(scene.definition(name, holding, change), token);
const ended = (name: string) => scene.endings.find((ending) => ending.name === `sessions/${name}`)?.reason;

/** What a refusal says. */
async function refusal(preparation: Promise<unknown>): Promise<string> {
  const error: unknown = await preparation.catch((reason: unknown) => reason);
  if (!(error instanceof HoldfastError)) throw new Error('it was admitted');
  return error.code;
}

function openCountOf(file: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === file;
    } catch {
      return false;
    }
  }).length;
}

describe('a session', () => {
  test('is prepared, served when its socket comes, and ended with its client', async () => {
    const { session, client } = await scene.serve('one', holding);
    expect(session.state).toMatchObject({ kind: 'serving', engine: 'event-loop' });
    expect((await client.ask({ type: READ, offset: 0, length: 5 })).data.toString()).toBe('disk ');
    client.send({ type: DISC });
    await expect.poll(() => ended('one')).toBe('disconnect');
    expect(await client.isOver()).toBe(true);
    expect(scene.sessions.list()).toEqual([]);
  });

  test('Law 1 borrows its device until it has ended: it cannot be let go of before', async () => {
    const { client } = await scene.serve('one', holding);
    expect(() => {
      scene.holdings.release(holding.attachment);
    }).toThrow('in use by 1 session, with');
    client.hangUp();
    await expect.poll(() => ended('one')).toBe('end-of-stream');
    scene.holdings.release(holding.attachment);
  });

  test('Law 1 borrows its device from the moment it is prepared', async () => {
    await prepare('one');
    expect(() => {
      scene.holdings.release(holding.attachment);
    }).toThrow('in use by 1 session, with');
  });

  test('whose socket does not come is ended after ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await prepare('one');
    vi.advanceTimersByTime(9_999);
    expect(scene.sessions.list()).toHaveLength(1);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await expect.poll(() => ended('one')).toBe('abandoned');
    scene.holdings.release(holding.attachment);
  });

  test('that is abandoned is over, and its socket is not served when it comes after all', async () => {
    const token = randomBytes(16);
    await prepare('one', {}, token);
    scene.sessions.abandon('sessions/one');
    scene.sessions.abandon('sessions/one');
    await expect.poll(() => ended('one')).toBe('abandoned');
    const client = await scene.passSocket(token, Buffer.alloc(28));
    await scene.inbox.close();
    expect(await client.isOver()).toBe(true);
  });

  test('that is served is not ended by abandoning it', async () => {
    const { client } = await scene.serve('one', holding);
    scene.sessions.abandon('sessions/one');
    expect((await client.ask({ type: READ, offset: 0, length: 1 })).error).toBe(0);
  });

  test('whose descriptor is no socket ends by itself, and the descriptor is closed', async () => {
    const token = randomBytes(16);
    await prepare('one', {}, token);
    using file = openDevice(scene.image, { readOnly: true });
    await scene.pass(file.number, token);
    await expect.poll(() => ended('one')).toBe('internal-error');
    // The test's own and the holding's.
    expect(openCountOf(scene.image)).toBe(2);
    scene.holdings.release(holding.attachment);
  });
});

describe('a session is refused', () => {
  test('Law 4 when its lease was voided; the bound never sinks', async () => {
    scene.sessions.voidLeasesUpTo(200n);
    scene.sessions.voidLeasesUpTo(150n);
    expect(await refusal(prepare('one', { lease: 200n }))).toBe('LEASE_REFUSED');
    await prepare('two', { lease: 201n });
  });

  test('Law 4 when its device was let go of meanwhile, or is held anew', async () => {
    scene.holdings.release(holding.attachment);
    expect(await refusal(prepare('one'))).toBe('LEASE_REFUSED');
    await scene.hold({ epoch: 2n });
    expect(await refusal(prepare('two'))).toBe('LEASE_REFUSED');
  });

  test('when its name is taken', async () => {
    await prepare('one');
    expect(await refusal(prepare('one'))).toBe('LEASE_REFUSED');
    expect(scene.sessions.list()).toHaveLength(1);
  });

  test('Law 5 when there are as many as may be; the message names the setting', async () => {
    for (let i = 0; i < SESSIONS_MAX; i++) await prepare(`session-${String(i)}`);
    await expect(prepare('one-more')).rejects.toMatchObject({
      code: 'LIMIT_REACHED',
      message: 'the worker has 8 sessions already (HOLDFAST_WORKER_SESSIONS_MAX)',
      metadata: { setting: 'HOLDFAST_WORKER_SESSIONS_MAX' },
    });
    scene.sessions.abandon('sessions/session-0');
    await expect.poll(() => scene.sessions.list().length).toBe(SESSIONS_MAX - 1);
    await prepare('one-more');
  });

  test('while the worker stops', async () => {
    const stopped = scene.sessions.stop(1_000);
    expect(await refusal(prepare('one'))).toBe('SHUTTING_DOWN');
    await stopped;
  });

  test('and leaves nothing behind', async () => {
    scene.sessions.voidLeasesUpTo(1_000n);
    await refusal(prepare('one'));
    expect(scene.sessions.list()).toEqual([]);
    scene.holdings.release(holding.attachment);
  });
});

test('what one session has written another reads', async () => {
  const [first, second] = [await scene.serve('one', holding), await scene.serve('two', holding)];
  await first.client.ask({ type: WRITE, offset: 0, payload: Buffer.from('shared') });
  const { data } = await second.client.ask({ type: READ, offset: 0, length: 6 });
  expect(data.toString()).toBe('shared');
});
