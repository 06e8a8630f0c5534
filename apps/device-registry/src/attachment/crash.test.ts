import { beforeEach, describe, expect, test } from 'vitest';
import { attachmentOf, IMAGE_BYTES, recordOf, startScene, type Scene } from '../testing/scene.js';
import { byteCount } from '@holdfast/foundation';
import { identifyDevice, openDevice } from '@holdfast/linux';
import { recordedIdentity } from './recorded-identity.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('registered'));
});

async function expectAttached(by: TestRegistry, at: RecordingWorker, epoch: bigint): Promise<void> {
  await expect.poll(async () => (await recordOf(by, 'disk')).state).toBe('CONNECTED');
  const record = await recordOf(by, 'disk');
  expect(record.epoch).toBe(epoch);
  await expect.poll(() => [...at.holdings.keys()]).toEqual([attachmentOf(record)]);
  expect(by.holds.size).toBe(1);
  await expect.poll(() => scene.openCount()).toBe(2);
}

describe('Law 2 a registry that is killed while it attaches', () => {
  test('D13 after it wrote its intent: the next one attaches under a higher epoch', async () => {
    await registry.store.attachments.begin('disk');
    await registry.die();
    await expectAttached(await scene.registry(), worker, 2n);
  });

  test('D13 after it recorded who the device is: the identity is free again', async () => {
    const { attachment } = await registry.store.attachments.begin('disk');
    using fd = openDevice(scene.image, { readOnly: false });
    const identity = recordedIdentity(identifyDevice(fd.number));
    const sizeBytes = byteCount(IMAGE_BYTES);
    await registry.store.attachments.recordIdentity(attachment.id, { identity, sizeBytes, verified: true });
    await registry.die();
    fd.close();
    await expectAttached(await scene.registry(), worker, 2n);
  });

  test('after the worker has adopted the device: the worker lets go of it, then has it anew', async () => {
    const dead = registry;
    worker.after.adopt = async () => {
      worker.after = {};
      await dead.die();
    };
    await expect(registry.attachments.attach('disk')).rejects.toThrow();
    expect(worker.holdings.size).toBe(1);
    await expectAttached(await scene.registry(), worker, 2n);
  });

  test('D7 once it is attached: the next one gets its hold back, and the device was never closed', async () => {
    await registry.attachments.attach('disk');
    await registry.die();
    expect(scene.openCount()).toBe(1);
    await expectAttached(await scene.registry(), worker, 1n);
  });
});

describe('Law 2 a registry that is killed while it detaches', () => {
  beforeEach(async () => {
    await registry.attachments.attach('disk');
  });

  test('after it wrote its intent: the next one finishes it', async () => {
    await registry.store.attachments.beginDetach('disk');
    await registry.die();
    const next = await scene.registry();
    expect((await recordOf(next, 'disk')).state).toBe('RELEASED');
    expect(scene.openCount()).toBe(0);
    expect((await next.store.devices.get('disk')).wantedAttached).toBe(false);
  });

  test('after the worker has let go: the next one finishes it', async () => {
    const dead = registry;
    worker.after.release = async () => {
      worker.after = {};
      await dead.die();
    };
    await expect(registry.attachments.detach('disk')).rejects.toThrow();
    const next = await scene.registry();
    expect((await recordOf(next, 'disk')).state).toBe('RELEASED');
    expect(scene.openCount()).toBe(0);
  });
});

describe('Law 2 a worker that is killed', () => {
  test.each(['before', 'after'] as const)(
    'while it adopts a device, %s it has: the attach fails, and the next worker gets it',
    async (when) => {
      const dead = worker;
      worker[when].adopt = () => dead.die();
      await expect(registry.attachments.attach('disk')).rejects.toMatchObject({ status: 'UNAVAILABLE' });
      expect(await recordOf(registry, 'disk')).toMatchObject({
        state: 'FAILED',
        errorReason: 'SERVICE_UNAVAILABLE',
      });
      expect(registry.holds.size).toBe(0);
      expect(scene.openCount()).toBe(0);
      await expectAttached(registry, await scene.worker(), 2n);
    },
  );

  test.each(['before', 'after'] as const)(
    'while it lets go of a device, %s it has: the device stays attached, and the next worker gets it',
    async (when) => {
      await registry.attachments.attach('disk');
      const dead = worker;
      worker[when].release = () => dead.die();
      await expect(registry.attachments.detach('disk')).rejects.toMatchObject({
        code: 'SERVICE_UNAVAILABLE',
      });
      expect((await recordOf(registry, 'disk')).state).toBe('CONNECTED');
      await expectAttached(registry, await scene.worker(), 1n);
    },
  );
});
