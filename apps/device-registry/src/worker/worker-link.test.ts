import { createLogger, type Logger } from '@holdfast/service';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { Scene } from '../testing/scene.js';
import { WorkerLink } from './worker-link.js';

let scene: Scene;
let link: WorkerLink;
let steps: string[];
let ended: bigint[];
let reconcile: () => Promise<void>;
let logger: Logger;

beforeEach(() => {
  scene = new Scene();
  steps = [];
  ended = [];
  reconcile = () => Promise.resolve();
  logger = createLogger('link', 'silent');
  link = new WorkerLink(`unix:${scene.layout.workerSocket}`, logger);
  onTestFinished(() => {
    link.stop();
  });
});

function follow(): void {
  link.follow({
    reconcile: async () => {
      steps.push(`reconcile while ${link.state.kind}`);
      await reconcile();
    },
    reconciled: () => steps.push(`reconciled while ${link.state.kind}`),
    sessionEnded: (lease) => ended.push(lease),
  });
}

const is = (kind: string) => vi.waitUntil(() => link.state.kind === kind, { timeout: 5_000, interval: 5 });

test('the link is down until a worker answers, and up once it was reconciled with', async () => {
  expect(() => link.requireUp()).toThrow('the I/O worker does not answer; it is being restarted');
  follow();
  const worker = await scene.worker();
  await is('up');
  expect(link.requireUp()).toBe(worker.instance);
  expect(steps).toEqual(['reconcile while reconciling', 'reconciled while up']);
});

test('Law 1 the end of the worker is known by the end of its stream, and the next one is told apart', async () => {
  const first = await scene.worker();
  follow();
  await is('up');
  await first.die();
  await is('down');
  expect(() => link.requireUp()).toThrow();
  const second = await scene.worker();
  await is('up');
  expect(link.requireUp()).toBe(second.instance);
  expect(second.instance).not.toBe(first.instance);
});

test('the leases of sessions that end are passed on, all 64 bits', async () => {
  const worker = await scene.worker();
  follow();
  await is('up');
  for (const lease of [1n, 2n ** 63n - 1n]) worker.endSession(lease);
  await expect.poll(() => ended).toEqual([1n, 2n ** 63n - 1n]);
});

test('a reconciliation that fails is tried again, and the link stays closed until one succeeds', async () => {
  await scene.worker();
  let failures = 3;
  reconcile = () => (failures-- > 0 ? Promise.reject(new Error('not yet')) : Promise.resolve());
  follow();
  await is('up');
  expect(steps).toEqual([
    ...Array.from({ length: 4 }, () => 'reconcile while reconciling'),
    'reconciled while up',
  ]);
});

test('a reconciliation whose worker dies meanwhile counts for nothing', async () => {
  const worker = await scene.worker();
  let finish: () => void = () => undefined;
  reconcile = () => new Promise((resolve) => (finish = resolve));
  follow();
  await vi.waitUntil(() => steps.length === 1);
  await worker.die();
  await is('down');
  finish();
  await new Promise(setImmediate);
  expect(link.state.kind).toBe('down');
  expect(steps).toEqual(['reconcile while reconciling']);
});

test('a link that is stopped stays down', async () => {
  const worker = await scene.worker();
  follow();
  await is('up');
  link.stop();
  expect(link.state.kind).toBe('down');
  await vi.waitUntil(() => !worker.watched);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(worker.watched).toBe(false);
  expect(steps).toHaveLength(2);
});

test('the log tells a worker that was lost from one that stopped in order', async () => {
  const warned = vi.spyOn(logger, 'warn');
  const informed = vi.spyOn(logger, 'info');
  const worker = await scene.worker();
  follow();
  await is('up');
  worker.breakStream();
  await is('down');
  expect(informed.mock.calls).toEqual([['the worker has stopped']]);
  expect(warned).not.toHaveBeenCalled();
  await is('up');
  await worker.die();
  await is('down');
  expect(warned.mock.calls).toEqual([[{ reason: expect.any(String) as string }, 'lost the worker']]);
});
