import { stateLayout, type StateLayout } from '@holdfast/contracts';
import { createLogger } from '@holdfast/service';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { RecordingWorker } from '../testing/recording-worker.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { SessionCensus } from './session-census.js';

const ADDRESS = '127.0.0.1:1';

let layout: StateLayout;
let worker: RecordingWorker;
let census: SessionCensus;

beforeEach(async () => {
  layout = stateLayout(temporaryFolder());
  worker = await startWorker();
  census = new SessionCensus(`unix:${layout.workerSocket}`, createLogger('census', 'silent'));
  onTestFinished(() => {
    census.stop();
  });
});

async function startWorker(): Promise<RecordingWorker> {
  const started = await RecordingWorker.start(layout);
  onTestFinished(() => started.stop());
  return started;
}

async function follow(): Promise<void> {
  census.follow();
  await vi.waitUntil(() => worker.watched, { timeout: 5_000, interval: 5 });
}

const counted = (exportName: string, count: number) =>
  expect.poll(() => census.countOf(exportName)).toBe(count);

/** Opens a session as the gateway does. */
function open(name: string, exportName = 'exports/a'): void {
  census.opening(name, exportName, ADDRESS);
  worker.put(name, exportName);
  census.opened(name);
}

describe('the sessions of an export', () => {
  test('are those that the worker had before, also when the gateway was restarted', async () => {
    for (let i = 0; i < 3; i++) worker.put(`sessions/${String(i)}`, i < 2 ? 'exports/a' : 'exports/b');
    await follow();
    await counted('exports/a', 2);
    expect([census.countOf('exports/b'), census.countOf('exports/c'), census.total]).toEqual([1, 0, 3]);
  });

  test('count from the moment they are being opened, once each', async () => {
    await follow();
    census.opening('sessions/1', 'exports/a', ADDRESS);
    expect([census.countOf('exports/a'), census.total, census.has('sessions/1')]).toEqual([1, 1, true]);
    worker.put('sessions/1', 'exports/a');
    census.opened('sessions/1');
    expect([census.countOf('exports/a'), census.total, census.has('sessions/1')]).toEqual([1, 1, true]);
  });

  test('count no more once they have ended, or were not opened', async () => {
    await follow();
    open('sessions/1');
    census.opening('sessions/2', 'exports/a', ADDRESS);
    census.notOpened('sessions/2');
    expect(census.countOf('exports/a')).toBe(1);
    worker.end('sessions/1');
    await counted('exports/a', 0);
    expect(census.total).toBe(0);
  });
});

describe('a worker that is lost from sight', () => {
  test('and died takes its sessions with it', async () => {
    await follow();
    open('sessions/1');
    await worker.stop();
    await counted('exports/a', 0);
  });

  test('and did not die is counted again when it is back', async () => {
    await follow();
    open('sessions/1');
    worker.breakStream();
    await counted('exports/a', 0);
    await counted('exports/a', 1);
  });

  test('loses no count of what is being opened meanwhile', async () => {
    await follow();
    census.opening('sessions/1', 'exports/a', ADDRESS);
    worker.breakStream();
    await vi.waitUntil(() => !worker.watched);
    await vi.waitUntil(() => worker.watched);
    expect(census.countOf('exports/a')).toBe(1);
    worker.put('sessions/1', 'exports/a');
    census.opened('sessions/1');
    worker.end('sessions/1');
    await counted('exports/a', 0);
  });

  test('leaves no phantom of a session that was opened and ended while nobody watched', async () => {
    await follow();
    worker.breakStream();
    await vi.waitUntil(() => !worker.watched);
    open('sessions/1');
    worker.end('sessions/1');
    await vi.waitUntil(() => worker.watched, { timeout: 5_000 });
    await counted('exports/a', 0);
  });
});

describe('a session that ends while the worker’s are counted', () => {
  test('is not counted, though the answer still names it', async () => {
    worker.put('sessions/1', 'exports/a');
    worker.put('sessions/2', 'exports/a');
    worker.beforeListAnswer = async () => {
      worker.end('sessions/1');
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await follow();
    await counted('exports/a', 1);
    expect(census.has('sessions/1')).toBe(false);
  });

  test('does not count because of an answer that was given before the worker died', async () => {
    worker.put('sessions/1', 'exports/a');
    let answer: () => void = () => undefined;
    worker.beforeListAnswer = () => new Promise<void>((resolve) => (answer = resolve));
    await follow();
    worker.beforeListAnswer = () => undefined;
    worker.sessions.clear();
    worker.breakStream();
    await vi.waitUntil(() => !worker.watched);
    answer();
    await vi.waitUntil(() => worker.watched, { timeout: 5_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(census.total).toBe(0);
  });
});

test('a worker that cannot be asked is asked again when it is there', async () => {
  await worker.stop();
  census.follow();
  const next = await startWorker();
  next.put('sessions/1', 'exports/a');
  await counted('exports/a', 1);
});
