import { DRAIN_MS_DEFAULT } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { drainMsOf } from './drain.js';

test.each([
  [{}, DRAIN_MS_DEFAULT],
  [{ HOLDFAST_WORKER_DRAIN_MS: '60000' }, 60_000],
  [{ HOLDFAST_WORKER_DRAIN_MS: '0' }, 0],
  [{ HOLDFAST_WORKER_DRAIN_MS: 'long' }, DRAIN_MS_DEFAULT],
])('T16 the worker gets the time to drain that its settings give it: %j', (environment, drainMs) => {
  expect(drainMsOf('io-worker', environment)).toBe(drainMs);
});

test('the others are not concerned', () => {
  const environment = { HOLDFAST_WORKER_DRAIN_MS: '60000' };
  expect(drainMsOf('nbd-gateway', environment)).toBe(DRAIN_MS_DEFAULT);
  expect(drainMsOf('device-registry', environment)).toBe(DRAIN_MS_DEFAULT);
});
