import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '@holdfast/foundation';
import { beforeEach, describe, expect, test } from 'vitest';
import { attachmentOf, IMAGE_BYTES, recordOf, startScene, type Scene } from '../testing/scene.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('registered'));
  worker.calls.length = 0;
});

describe('attaching', () => {
  test('D10 ends with registry and worker both holding the device, each by its own descriptor', async () => {
    const device = await registry.attachments.attach('disk');
    expect(device.attachment).toMatchObject({ state: 'CONNECTED', epoch: 1n, sizeBytes: IMAGE_BYTES });
    const name = attachmentOf(await recordOf(registry, 'disk'));
    expect([...worker.holdings.keys()]).toEqual([name]);
    expect(registry.holds.size).toBe(1);
    expect(scene.openCount()).toBe(2);
  });

  test('Law 2 the intent is on record before the device is opened, who it is before it is handed over', async () => {
    const seen: unknown[] = [];
    worker.before.adopt = async () => {
      const { state, identity, sizeBytes } = await recordOf(registry, 'disk');
      seen.push({ state, identified: identity !== undefined, sizeBytes, open: scene.openCount() > 0 });
    };
    await registry.attachments.attach('disk');
    expect(seen).toEqual([{ state: 'ATTACHING', identified: true, sizeBytes: IMAGE_BYTES, open: true }]);
  });

  test('Law 3 the worker is told the identity that was read on the open descriptor', async () => {
    // Whatever stands at the path once the device is open is of no interest any more.
    worker.before.adopt = () => {
      renameSync(scene.image, `${scene.image}.old`);
      writeFileSync(scene.image, 'another file');
    };
    await registry.attachments.attach('disk');
    const { identity } = await recordOf(registry, 'disk');
    const [holding] = [...worker.holdings.values()];
    expect(holding?.message.device).toMatchObject({ $case: 'identity', value: { inode: identity?.inode } });
    expect(holding?.message.sizeBytes).toBe(BigInt(IMAGE_BYTES));
  });

  test('again, once attached, is answered as it is and opens nothing', async () => {
    await registry.attachments.attach('disk');
    const again = await registry.attachments.attach('disk');
    expect(again.attachment?.epoch).toBe(1n);
    expect(worker.calls.filter((call) => call.startsWith('adopt'))).toHaveLength(1);
    expect(scene.openCount()).toBe(2);
  });

  test('a read-only device opens it so that nothing can be written', async () => {
    await scene.add(registry, 'read-only', { readOnly: true });
    await registry.attachments.attach('read-only');
    const [holding] = [...worker.holdings.values()];
    expect(holding?.message.readOnly).toBe(true);
    expect(() => {
      writeFileSync(holding?.fd?.number ?? -1, 'x');
    }).toThrow('EBADF');
  });

  test('the file of another device is refused, and leaves that one alone', async () => {
    await registry.attachments.attach('disk');
    await scene.add(registry, 'twin');
    await expect(registry.attachments.attach('twin')).rejects.toMatchObject({
      code: 'DEVICE_ATTACHED_TWICE',
    });
    expect(await recordOf(registry, 'twin')).toMatchObject({
      state: 'FAILED',
      errorReason: 'DEVICE_ATTACHED_TWICE',
    });
    expect((await recordOf(registry, 'disk')).state).toBe('CONNECTED');
    expect(scene.openCount()).toBe(2);
  });

  test('a path that is not there fails with what the kernel said, and is tried again when asked', async () => {
    renameSync(scene.image, `${scene.image}.away`);
    await expect(registry.attachments.attach('disk')).rejects.toMatchObject({ code: 'DEVICE_OPEN_FAILED' });
    expect(await recordOf(registry, 'disk')).toMatchObject({
      state: 'FAILED',
      errorReason: 'DEVICE_OPEN_FAILED',
      errorMessage: expect.stringContaining('ENOENT') as string,
    });
    renameSync(`${scene.image}.away`, scene.image);
    expect((await registry.attachments.attach('disk')).attachment).toMatchObject({
      state: 'CONNECTED',
      epoch: 2n,
    });
  });

  test('a folder is refused: it is no device', async () => {
    const backing = { kind: 'file', path: path.dirname(scene.image) } as const;
    const definition = { id: 'folder', backing };
    await registry.store.devices.create({ ...definition, readOnly: true, transient: false });
    await expect(registry.attachments.attach('folder')).rejects.toMatchObject({ code: 'DEVICE_UNSUITABLE' });
    expect(registry.holds.size).toBe(0);
  });

  test('Law 3 a worker that finds another device refuses it: FAILED with the reason, nothing held', async () => {
    worker.before.adopt = () => {
      throw new HoldfastError('DEVICE_IDENTITY_MISMATCH', 'inode 1 is not inode 2');
    };
    await expect(registry.attachments.attach('disk')).rejects.toMatchObject({
      code: 'DEVICE_IDENTITY_MISMATCH',
    });
    expect(await recordOf(registry, 'disk')).toMatchObject({
      state: 'FAILED',
      errorReason: 'DEVICE_IDENTITY_MISMATCH',
      errorMessage: 'inode 1 is not inode 2',
    });
    expect(registry.holds.size).toBe(0);
    // The worker never claimed it: what it was sent waits in its inbox, and goes with it.
    await worker.die();
    expect(scene.openCount()).toBe(0);
  });

  test('an adoption whose answer was lost is undone at the worker too', async () => {
    worker.after.adopt = () => {
      throw new HoldfastError('INTERNAL', 'the answer was lost');
    };
    await expect(registry.attachments.attach('disk')).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(worker.calls.map((call) => call.split(' ')[0])).toEqual(['adopt', 'release']);
    expect((await recordOf(registry, 'disk')).state).toBe('FAILED');
    expect(scene.openCount()).toBe(0);
  });

  test('without a worker writes no intent: it is refused before', async () => {
    await worker.die();
    await registry.linked('down');
    await expect(registry.attachments.attach('disk')).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
    expect((await registry.store.devices.get('disk')).attachment).toBeUndefined();
  });
});

describe('two operations on one device', () => {
  test('the second is refused while the first is under way, and names it', async () => {
    let letGo: () => void = () => undefined;
    worker.before.adopt = () => new Promise<void>((resolve) => (letGo = resolve));
    const first = registry.attachments.attach('disk');
    await expect.poll(() => worker.calls.length).toBe(1);
    for (const second of [registry.attachments.attach('disk'), registry.attachments.detach('disk')]) {
      await expect(second).rejects.toMatchObject({
        code: 'DEVICE_BUSY',
        message: 'an attach of device "disk" is under way',
      });
    }
    letGo();
    expect((await first).attachment?.state).toBe('CONNECTED');
    expect((await registry.attachments.detach('disk')).device.attachment?.state).toBe('RELEASED');
  });
});
