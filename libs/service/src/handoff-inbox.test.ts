import { randomBytes } from 'node:crypto';
import { existsSync, fstatSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { openFdCount, sendHandoff, socketPair, type OwnedFd } from '@holdfast/linux';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HandoffInbox, type Arrival } from './handoff-inbox.js';
import { recordingLogger, type LogLine } from './testing/recording-logger.js';

const UNCLAIMED_MAX = 64;

let location: string;
let inbox: HandoffInbox;
let lines: LogLine[];
let ends: [OwnedFd, OwnedFd];

beforeEach(async () => {
  location = path.join(temporaryFolder(), 'inbox');
  const recorded = recordingLogger();
  lines = recorded.lines;
  inbox = new HandoffInbox(recorded.logger);
  await inbox.listen(location);
  ends = socketPair();
});

afterEach(async () => {
  vi.useRealTimers();
  await inbox.close();
  for (const end of ends) end.close();
});

const newToken = () => randomBytes(16);
const send = (token: Uint8Array, payload = '') =>
  sendHandoff(location, token, Buffer.from(payload), ends[0].number);

/** Descriptors that came and are still open; what the test itself holds does not change. */
async function settledAt(count: number): Promise<void> {
  await vi.waitFor(() => {
    expect(openFdCount()).toBe(count);
  });
}

describe('a descriptor that arrives', () => {
  test('before it is claimed waits for its claim', async () => {
    const token = newToken();
    await send(token, 'read so far');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { fd, payload } = await inbox.claim(token, 1_000);
    expect(payload.toString()).toBe('read so far');
    expect(fstatSync(fd.number).isSocket()).toBe(true);
    fd.close();
  });

  test('D12 and is claimed by nobody is closed once that is certain; who waits for one goes on waiting', async () => {
    const claim = inbox.claim(newToken(), 60);
    const outcome = expect(claim).rejects.toMatchObject({ code: 'HANDOFF_FAILED' });
    const before = openFdCount();
    const token = newToken();
    await send(token);
    await settledAt(before + 1);
    inbox.dropUnclaimed();
    expect(openFdCount()).toBe(before);
    await expect(inbox.claim(token, 1)).rejects.toMatchObject({ code: 'HANDOFF_FAILED' });
    await outcome;
  });

  test('after it was claimed ends the wait', async () => {
    const token = newToken();
    const claim = inbox.claim(token, 5_000);
    await send(newToken());
    await send(token, 'mine');
    const { fd, payload } = await claim;
    expect(payload.toString()).toBe('mine');
    fd.close();
  });

  test('is given to one claim only', async () => {
    const token = newToken();
    await send(token);
    (await inbox.claim(token, 1_000)).fd.close();
    await expect(inbox.claim(token, 20)).rejects.toMatchObject({ code: 'HANDOFF_FAILED' });
  });

  test('and was expected is given to whoever expected it', async () => {
    const token = newToken();
    const arrivals: Arrival[] = [];
    inbox.expect(token, (arrival) => arrivals.push(arrival));
    await send(token, 'now');
    const arrival = await vi.waitUntil(() => arrivals[0]);
    expect(arrival.payload.toString()).toBe('now');
    arrival.fd.close();
  });

  test('and is no longer expected waits unclaimed, and is closed with the inbox', async () => {
    const before = openFdCount();
    const token = newToken();
    const take = vi.fn();
    inbox.expect(token, take);
    inbox.forget(token);
    await send(token);
    await settledAt(before + 1);
    expect(take).not.toHaveBeenCalled();
  });
});

describe('a claim', () => {
  test('that nothing answers fails with HANDOFF_FAILED once its time is over, and not before', async () => {
    const started = performance.now();
    await expect(inbox.claim(newToken(), 120)).rejects.toMatchObject({
      code: 'HANDOFF_FAILED',
      message: 'no descriptor arrived within 120 ms',
    });
    expect(performance.now() - started).toBeGreaterThanOrEqual(115);
  });

  test('that has failed does not swallow the descriptor when it comes after all', async () => {
    const token = newToken();
    await expect(inbox.claim(token, 10)).rejects.toThrow();
    await send(token);
    (await inbox.claim(token, 1_000)).fd.close();
  });

  test('that waits while the inbox closes fails at once', async () => {
    const claim = inbox.claim(newToken(), 60_000);
    const outcome = expect(claim).rejects.toMatchObject({ code: 'HANDOFF_FAILED' });
    await inbox.close();
    await outcome;
  });
});

describe('Law 5 descriptors that nobody claims', () => {
  test('are closed after ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const before = openFdCount();
    await send(newToken());
    while (openFdCount() === before) await new Promise(setImmediate);
    vi.advanceTimersByTime(9_999);
    expect(openFdCount()).toBe(before + 1);
    vi.advanceTimersByTime(1);
    expect(openFdCount()).toBe(before);
    expect(lines.map(({ msg }) => msg)).toEqual(['closed a descriptor that nobody claimed']);
  });

  test('are at most 64: the next one is closed, and said so', async () => {
    const before = openFdCount();
    for (let i = 0; i < UNCLAIMED_MAX + 3; i++) await send(newToken());
    await vi.waitFor(() => {
      expect(lines.filter(({ msg }) => msg === 'closed a descriptor that nobody expected')).toHaveLength(3);
    });
    await settledAt(before + UNCLAIMED_MAX);
  });

  test('do not keep one that is expected from arriving', async () => {
    for (let i = 0; i < UNCLAIMED_MAX; i++) await send(newToken());
    const token = newToken();
    const claim = inbox.claim(token, 5_000);
    await send(token);
    (await claim).fd.close();
  });

  test('are closed with the inbox, whose socket is gone then', async () => {
    const before = openFdCount();
    for (let i = 0; i < 5; i++) await send(newToken());
    await settledAt(before + 5);
    await inbox.close();
    // The listener and its epoll watch went as well.
    expect(openFdCount()).toBeLessThan(before);
    expect(existsSync(location)).toBe(false);
  });
});
