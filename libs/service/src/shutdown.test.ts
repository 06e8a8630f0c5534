import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { checkHealth, createClient, stopDeadlineMs, workerV1 } from '@holdfast/contracts';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Child } from './testing/child.js';

function start(environment: NodeJS.ProcessEnv = {}) {
  const state = temporaryFolder();
  const child = new Child('test-service', { HOLDFAST_STATE: state, ...environment });
  const socket = path.join(state, 'test.sock');
  return { child, socket, address: `unix:${socket}` };
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s stops a service in order, exit code 0',
  async (signal) => {
    const { child, socket } = start();
    await child.says('ready');
    child.process.kill(signal);
    expect(await child.ended()).toBe(0);
    expect(child.said).toEqual(['starting', 'ready', 'draining', 'released']);
    expect(existsSync(socket)).toBe(false);
  },
);

test('a supervised service stops when the supervisor’s pipe closes, however the supervisor ended', async () => {
  const { child } = start({ HOLDFAST_SUPERVISED: '1' });
  await child.says('ready');
  child.process.stdin?.destroy();
  expect(await child.ended()).toBe(0);
  expect(child.said.at(-1)).toBe('released');
  expect(child.log.some((line) => JSON.stringify(line).includes('the supervisor is gone'))).toBe(true);
});

test('a service of its own does not look at standard input', async () => {
  const { child, address } = start();
  await child.says('ready');
  child.process.stdin?.destroy();
  await delay(200);
  expect(await checkHealth(address)).toBe('SERVING');
});

test('a supervised service leaves the signals that reach a whole terminal to its supervisor', async () => {
  const { child, address } = start({ HOLDFAST_SUPERVISED: '1' });
  await child.says('ready');
  child.process.kill('SIGINT');
  child.process.kill('SIGHUP');
  await delay(200);
  expect(await checkHealth(address)).toBe('SERVING');
});

test('T16 a stream that is open gets its last messages before the server closes', async () => {
  const { child, address } = start();
  await child.says('ready');
  const client = createClient(workerV1.SessionServiceService, address);
  onTestFinished(client.close);
  const reasons: string[] = [];
  const stream = client.watchSessions({});
  const ended = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
  stream.on('data', ({ reason }: workerV1.SessionEvent) => reasons.push(reason));
  await vi.waitFor(() => {
    expect(reasons).toEqual(['hello']);
  });
  child.process.kill('SIGTERM');
  await ended;
  expect(reasons).toEqual(['hello', 'last words']);
  expect(await child.ended()).toBe(0);
});

test('a service that is asked to stop while it starts finishes starting, then stops', async () => {
  const { child } = start({ TEST_START: 'slow' });
  await child.says('starting');
  child.process.kill('SIGTERM');
  expect(await child.ended()).toBe(0);
  expect(child.said).toEqual(['starting', 'ready', 'draining', 'released']);
});

test('a service that is asked twice stops once', async () => {
  const { child } = start();
  await child.says('ready');
  child.process.kill('SIGTERM');
  child.process.kill('SIGINT');
  child.process.kill('SIGTERM');
  expect(await child.ended()).toBe(0);
  expect(child.said.filter((line) => line === 'draining')).toHaveLength(1);
});

test('a service whose stop fails says why, exit code 1', async () => {
  const { child } = start({ TEST_STOP: 'fail' });
  await child.says('ready');
  child.process.kill('SIGTERM');
  expect(await child.ended()).toBe(1);
  expect(child.lastWords.map(({ msg }) => msg)).toEqual(['stopping failed']);
});

test('T16 the time in which a service must have stopped follows the drain that its settings give it', async () => {
  const { child } = start({ TEST_DRAIN_MS: '60000' });
  await child.says('ready');
  child.process.kill('SIGTERM');
  expect(await child.ended()).toBe(0);
  const stopping = child.log.find(({ msg }) => msg === 'stopping');
  expect(stopping?.deadlineMs).toBe(stopDeadlineMs(60_000));
});
