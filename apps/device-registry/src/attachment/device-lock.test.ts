import { lockDevice, openDevice, type OwnedFd } from '@holdfast/linux';
import { beforeEach, describe, expect, test } from 'vitest';
import { recordOf, startScene, type Scene } from '../testing/scene.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('registered'));
});

/** What another program would get that is after the image. @throws HoldfastError DEVICE_LOCKED */
function takeImage({ readOnly }: { readonly readOnly: boolean }): OwnedFd {
  using opened = openDevice(scene.image, { readOnly });
  return lockDevice(opened, scene.image, { readOnly }).fd;
}

function isFree(): boolean {
  try {
    takeImage({ readOnly: true }).close();
    return true;
  } catch {
    return false;
  }
}

describe('an image that another program has open', () => {
  test('for writing is not attached, and the record says by whom; once it is free, it is', async () => {
    const other = takeImage({ readOnly: false });
    await expect(registry.attachments.attach('disk')).rejects.toMatchObject({ code: 'DEVICE_LOCKED' });
    expect(await recordOf(registry, 'disk')).toMatchObject({
      state: 'FAILED',
      errorReason: 'DEVICE_LOCKED',
      errorMessage: expect.stringContaining(`(pid ${String(process.pid)})`) as string,
    });
    expect(registry.holds.size).toBe(0);
    expect(worker.holdings.size).toBe(0);
    expect(scene.openCount()).toBe(1);
    other.close();
    expect((await registry.attachments.attach('disk')).attachment?.state).toBe('CONNECTED');
  });

  test('for reading is attached read-only, and not otherwise', async () => {
    using other = takeImage({ readOnly: true });
    await expect(registry.attachments.attach('disk')).rejects.toMatchObject({ code: 'DEVICE_LOCKED' });
    await scene.add(registry, 'read-only', { readOnly: true });
    expect((await registry.attachments.attach('read-only')).attachment?.state).toBe('CONNECTED');
    expect(other.closed).toBe(false);
  });
});

describe('an image that is attached', () => {
  beforeEach(async () => {
    await registry.attachments.attach('disk');
  });

  test('Law 1 is kept from others until it is detached, whoever of the two dies in between', async () => {
    expect(isFree()).toBe(false);
    await registry.die();
    expect(isFree(), 'held by the worker alone').toBe(false);
    const next = await scene.registry();
    expect(await recordOf(next, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 1n });
    expect(isFree(), 'held by both again').toBe(false);
    await worker.die();
    await next.linked('down');
    expect(isFree(), 'held by the registry alone').toBe(false);
    await scene.worker();
    await next.linked('up');
    expect(await recordOf(next, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 1n });
    await next.attachments.detach('disk');
    expect(isFree()).toBe(true);
  });

  test('is free once both have died', async () => {
    await registry.die();
    await worker.die();
    expect(isFree()).toBe(true);
  });

  test('is named by its other device, not by its lock, when it is attached twice here', async () => {
    await scene.add(registry, 'twin');
    await expect(registry.attachments.attach('twin')).rejects.toMatchObject({
      code: 'DEVICE_ATTACHED_TWICE',
    });
    expect(isFree()).toBe(false);
  });
});
