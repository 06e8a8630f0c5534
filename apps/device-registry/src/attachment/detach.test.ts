import { HoldfastError } from '@holdfast/foundation';
import { beforeEach, describe, expect, test } from 'vitest';
import { recordOf, startScene, type Scene } from '../testing/scene.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('attached'));
});

const lease = (session: string) =>
  registry.leases.acquire({ deviceId: 'disk', access: 'READ_WRITE', session });

describe('detaching', () => {
  test('D12 closes the device at the worker first, then here', async () => {
    const openAtRelease: number[] = [];
    worker.before.release = () => openAtRelease.push(scene.openCount());
    const { device } = await registry.attachments.detach('disk');
    expect(device.attachment?.state).toBe('RELEASED');
    expect(device.wantedAttached).toBe(false);
    expect(openAtRelease).toEqual([2]);
    expect(scene.openCount()).toBe(0);
  });

  test('Law 2 the intent is on record before the worker is asked', async () => {
    const states: string[] = [];
    worker.before.release = async () => states.push((await recordOf(registry, 'disk')).state);
    await registry.attachments.detach('disk');
    expect(states).toEqual(['DETACHING']);
  });

  test('what is detached already is answered as it is', async () => {
    await registry.attachments.detach('disk');
    worker.calls.length = 0;
    expect((await registry.attachments.detach('disk')).device.attachment?.state).toBe('RELEASED');
    expect(worker.calls).toEqual([]);
  });

  test('Law 1 is refused while a lease lives, naming its session, and the device stays usable', async () => {
    const { number } = await lease('session-1');
    worker.liveLeases = [number];
    await expect(registry.attachments.detach('disk')).rejects.toMatchObject({
      code: 'DEVICE_IN_USE',
      message: expect.stringContaining('session-1') as string,
    });
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'CONNECTED' });
    expect(scene.openCount()).toBe(2);
    await lease('session-2');
  });

  test('Law 1 is taken back when the worker still uses the device', async () => {
    worker.before.release = () => {
      throw new HoldfastError('DEVICE_IN_USE', 'in use by 1 session');
    };
    await expect(registry.attachments.detach('disk')).rejects.toMatchObject({ code: 'DEVICE_IN_USE' });
    const device = await registry.store.devices.get('disk');
    expect(device.attachment?.state).toBe('CONNECTED');
    expect(device.wantedAttached).toBe(true);
    expect(registry.holds.size).toBe(1);
    await lease('session-1');
  });

  test('Law 4 the next attachment is of a higher epoch, and no lease of the last one comes back', async () => {
    await registry.attachments.detach('disk');
    await expect(lease('too-early')).rejects.toMatchObject({ code: 'DEVICE_NOT_ATTACHED' });
    const { attachment } = await registry.attachments.attach('disk');
    expect(attachment?.epoch).toBe(2n);
    expect((await lease('session-1')).epoch).toBe(2n);
  });
});
