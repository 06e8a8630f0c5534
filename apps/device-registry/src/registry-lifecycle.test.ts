import { existsSync } from 'node:fs';
import { checkHealth } from '@holdfast/contracts';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { recordOf, startScene, type Scene } from './testing/scene.js';
import type { RecordingWorker } from './testing/recording-worker.js';
import type { TestRegistry } from './testing/registry.js';

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('attached'));
});

async function stop(): Promise<void> {
  await registry.lifecycle.drain();
  await registry.lifecycle.release();
}

/** What the records say once the registry has stopped. */
async function afterwards() {
  const reader = await scene.idleRegistry();
  const device = await reader.store.devices.get('disk');
  const leases = await reader.store.leases.listAll();
  return { state: device.attachment?.state, wanted: device.wantedAttached, leases: leases.length };
}

describe('a registry that stops', () => {
  test('Law 1 alone leaves everything to the worker: device attached, leases live', async () => {
    const { number } = await registry.leases.acquire({
      deviceId: 'disk',
      access: 'READ_WRITE',
      session: 's',
    });
    worker.liveLeases = [number];
    await stop();
    expect(await afterwards()).toEqual({ state: 'CONNECTED', wanted: true, leases: 1 });
    expect(scene.openCount()).toBe(1);
    expect(existsSync(scene.layout.registryHandoff)).toBe(false);
  });

  test('after the worker releases all leases and devices, which stay wanted', async () => {
    await registry.leases.acquire({ deviceId: 'disk', access: 'READ_WRITE', session: 's' });
    await worker.die();
    await stop();
    expect(await afterwards()).toEqual({ state: 'RELEASED', wanted: true, leases: 0 });
    expect(scene.openCount()).toBe(0);
  });

  test('after the worker attaches the device again at its next start', async () => {
    await worker.die();
    await stop();
    await scene.worker();
    const next = await scene.registry();
    expect(await recordOf(next, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 2n });
  });

  test('releases what ended last before it closes the database', async () => {
    const { number } = await registry.leases.acquire({
      deviceId: 'disk',
      access: 'READ_WRITE',
      session: 's',
    });
    const gathered = vi.spyOn(registry.leaseReconciler, 'sessionEnded');
    worker.endSession(number);
    await vi.waitUntil(() => gathered.mock.calls.length === 1, { interval: 1 });
    await stop();
    expect(await afterwards()).toMatchObject({ leases: 0 });
  });

  test('Law 1 leaves alone the socket of a worker, dead or alive', async () => {
    await stop();
    expect(existsSync(scene.layout.workerSocket)).toBe(true);
    expect(worker.holdings.size).toBe(1);
    await expect(checkHealth(`unix:${scene.layout.workerSocket}`)).rejects.toThrow('UNIMPLEMENTED');
  });
});

test('the registry is not ready before it has met a worker and attached what is wanted', async () => {
  await registry.die();
  await worker.die();
  const next = await scene.idleRegistry();
  const ready = vi.spyOn(next.health, 'ready');
  await next.lifecycle.start();
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(ready).not.toHaveBeenCalled();
  await scene.worker();
  await vi.waitUntil(() => ready.mock.calls.length > 0, { timeout: 5_000 });
  expect((await recordOf(next, 'disk')).state).toBe('CONNECTED');
});
