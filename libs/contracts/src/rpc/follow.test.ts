import path from 'node:path';
import type { Server, ServerWritableStream } from '@grpc/grpc-js';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { workerV1 } from '../index.js';
import { startServer } from '../testing/grpc-server.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { createClient } from './client.js';
import { FollowedStream, type StreamEnd } from './follow.js';

type Watcher = ServerWritableStream<workerV1.WatchSessionsRequest, workerV1.SessionEvent>;

let address: string;
let messages: string[];
let breaks: StreamEnd[];
let watchers: Watcher[];

beforeEach(() => {
  address = `unix:${path.join(temporaryFolder(), 'worker.sock')}`;
  messages = [];
  breaks = [];
  watchers = [];
});

/** A worker process, as far as its stream goes: says its name to whoever watches. */
function startWorker(instance: string): Promise<Server> {
  return startServer(address, workerV1.SessionServiceService, {
    watchSessions: (watcher: Watcher) => {
      watchers.push(watcher);
      watcher.write({ workerInstance: instance, ended: undefined, reason: '' });
    },
    prepareSession: vi.fn(),
    abandonSession: vi.fn(),
    listSessions: vi.fn(),
  });
}

function follow(): FollowedStream<workerV1.SessionEvent> {
  const client = createClient(workerV1.SessionServiceService, address);
  const followed = new FollowedStream(() => client.watchSessions({}), {
    onMessage: ({ workerInstance }) => messages.push(workerInstance),
    onBreak: (how) => breaks.push(how),
  });
  onTestFinished(() => {
    followed.close();
    client.close();
  });
  return followed;
}

const say = (instance: string) =>
  watchers.at(-1)?.write({ workerInstance: instance, ended: undefined, reason: '' });
const heard = (...expected: string[]) =>
  vi.waitFor(
    () => {
      expect(messages).toEqual(expected);
    },
    { timeout: 5_000, interval: 5 },
  );
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a followed stream delivers its messages in order', async () => {
  await startWorker('one');
  follow();
  await heard('one');
  for (let i = 0; i < 100; i++) say(String(i));
  await heard('one', ...Array.from({ length: 100 }, (_, i) => String(i)));
  expect(breaks).toEqual([]);
});

test('Law 1 a followed stream tells of the end of its server once, and finds the next one', async () => {
  const first = await startWorker('first');
  follow();
  await heard('first');
  first.forceShutdown();
  await vi.waitFor(() => {
    expect(breaks).not.toEqual([]);
  });
  const breaksOfTheFirst = breaks.length;
  await startWorker('second');
  await heard('first', 'second');
  // Opening it while nobody listens is a break of its own; the death of the first was one.
  expect(breaksOfTheFirst).toBe(1);
  expect(breaks[0]).toEqual({ kind: 'broken', reason: expect.stringContaining('CANCELLED') as string });
});

test('a followed stream that its server ends is opened again', async () => {
  await startWorker('here');
  follow();
  await heard('here');
  watchers.at(-1)?.end();
  await heard('here', 'here');
  expect(breaks).toEqual([{ kind: 'ended' }]);
});

test('a followed stream is opened before its server listens, and hears of it', async () => {
  follow();
  await vi.waitFor(() => {
    expect(breaks.length).toBeGreaterThanOrEqual(2);
  });
  await startWorker('late');
  await heard('late');
});

test('a followed stream that is closed neither hears anything more nor comes back', async () => {
  const server = await startWorker('one');
  const followed = follow();
  await heard('one');
  followed.close();
  say('after the close');
  await vi.waitFor(() => {
    expect(watchers[0]?.cancelled).toBe(true);
  });
  server.forceShutdown();
  await startWorker('two');
  await pause(250);
  expect(messages).toEqual(['one']);
  expect(breaks).toEqual([]);
  expect(watchers).toHaveLength(1);
});

test('a followed stream that is closed while it waits to come back stays closed', async () => {
  const followed = follow();
  await vi.waitFor(() => {
    expect(breaks).toHaveLength(1);
  });
  followed.close();
  await startWorker('late');
  await pause(250);
  expect(watchers).toEqual([]);
});

test('closing from within a message ends the messages that had arrived with it', async () => {
  await startWorker('one');
  const client = createClient(workerV1.SessionServiceService, address);
  const followed = new FollowedStream(() => client.watchSessions({}), {
    onMessage: ({ workerInstance }) => {
      messages.push(workerInstance);
      if (workerInstance === 'stop') followed.close();
    },
    onBreak: (how) => breaks.push(how),
  });
  await heard('one');
  for (const word of ['stop', 'more', 'and more']) say(word);
  await pause(100);
  expect(messages).toEqual(['one', 'stop']);
  client.close();
});
