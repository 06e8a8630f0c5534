import { closeSync, fstatSync, openSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { HoldfastError } from '@holdfast/foundation';
import { duplicateFd, socketPair } from '@holdfast/linux';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { attachmentOf, recordOf, startScene, type Scene } from '../testing/scene.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;
let name: string;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('attached'));
  name = attachmentOf(await recordOf(registry, 'disk'));
  worker.calls.length = 0;
});

const leaseOfDisk = { deviceId: 'disk', access: 'READ_WRITE', session: 's' } as const;

const adoptions = (of: RecordingWorker) => of.calls.filter((call) => call.startsWith('adopt'));

/** How many descriptors of this process are the same open socket or file. */
function countOf(fd: number): number {
  const { dev, ino } = fstatSync(fd);
  return readdirSync('/proc/self/fd').filter((other) => {
    try {
      const stat = fstatSync(Number(other));
      return stat.dev === dev && stat.ino === ino;
    } catch {
      return false;
    }
  }).length;
}

describe('an attachment that is CONNECTED', () => {
  test('D10 and held by both is left as it is', async () => {
    worker.breakStream();
    await registry.linked('down');
    await registry.linked('up');
    expect(worker.calls).toEqual(['reconcile 0']);
  });

  test('and held by the worker alone comes back to the registry by a real handoff', async () => {
    await registry.die();
    expect(scene.openCount()).toBe(1);
    const next = await scene.registry();
    expect(worker.calls).toEqual(['reconcile 0', `return ${name}`]);
    expect(next.holds.size).toBe(1);
    expect(await recordOf(next, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 1n });
    expect(scene.openCount()).toBe(2);
  });

  test('and held by the registry alone is handed over again, under the same epoch', async () => {
    await worker.die();
    await registry.linked('down');
    const next = await scene.worker();
    await registry.linked('up');
    expect(adoptions(next)).toEqual([`adopt ${name}`]);
    expect(next.holdings.get(name)?.message.epoch).toBe(1n);
    expect(scene.openCount()).toBe(2);
  });

  test('Law 4 and held by nobody is LOST, and attached anew under a higher epoch', async () => {
    await registry.die();
    await worker.die();
    expect(scene.openCount()).toBe(0);
    const nextWorker = await scene.worker();
    const next = await scene.registry();
    const record = await recordOf(next, 'disk');
    expect(record).toMatchObject({ state: 'CONNECTED', epoch: 2n });
    expect([...nextWorker.holdings.keys()]).toEqual([attachmentOf(record)]);
    expect(attachmentOf(record)).not.toBe(name);
  });

  test('Law 4 and LOST, but not wanted any more, stays closed', async () => {
    await registry.store.devices.setWanted('disk', false);
    await registry.die();
    await worker.die();
    await scene.worker();
    expect((await recordOf(await scene.registry(), 'disk')).state).toBe('LOST');
    expect(scene.openCount()).toBe(0);
  });
});

describe('Law 3 a worker that hands back', () => {
  async function handsBack(fd: number): Promise<TestRegistry> {
    const right = worker.holdings.get(name);
    if (right === undefined) throw new Error('the worker holds nothing');
    await registry.die();
    worker.holdings.set(name, { ...right, fd: duplicateFd(fd) });
    const next = await scene.idleRegistry();
    await next.lifecycle.start();
    const returns = () => worker.calls.filter((call) => call.startsWith('return')).length;
    await vi.waitUntil(() => returns() >= 3, { timeout: 10_000 });
    await next.linked('up');
    expect(next.holds.size).toBe(0);
    // Busy while it is tried again.
    const refusals = [
      () => next.leases.acquire(leaseOfDisk).then(() => 'granted', codeOf),
      () => next.attachments.attach('disk').then(() => 'attached', codeOf),
    ];
    for (const refusal of refusals) await expect.poll(refusal).toBe('DEVICE_UNREPAIRED');
    worker.holdings.get(name)?.fd?.close();
    worker.holdings.set(name, right);
    await vi.waitUntil(() => next.holds.size === 1, { timeout: 10_000 });
    await vi.waitUntil(async () => next.leases.acquire(leaseOfDisk), { timeout: 10_000 });
    return next;
  }

  test('another device is not believed, and nothing of it is kept', async () => {
    const other = `${scene.image}.other`;
    writeFileSync(other, 'other');
    const fd = openSync(other, 'r');
    const next = await handsBack(fd);
    expect(countOf(fd)).toBe(1);
    expect(
      readlinkSync(`/proc/self/fd/${String(next.holds.get(name.split('/').at(-1) ?? '')?.number)}`),
    ).toBe(scene.image);
    closeSync(fd);
  });

  test('what is no device at all is not believed, and nothing of it is kept', async () => {
    const [a, b] = socketPair();
    await handsBack(a.number);
    expect(countOf(a.number)).toBe(1);
    a.close();
    b.close();
  });
});

describe('what the worker holds and nobody recorded', () => {
  const orphan = 'devices/forgotten/attachments/00000000';

  async function withOrphan(): Promise<void> {
    const held = worker.holdings.get(name);
    if (held?.fd === undefined) throw new Error('the worker holds nothing');
    worker.holdings.set(orphan, {
      message: { ...held.message, attachment: orphan },
      fd: duplicateFd(held.fd.number),
    });
    worker.breakStream();
    await registry.linked('down');
  }

  test('is let go of', async () => {
    await withOrphan();
    await registry.linked('up');
    expect([...worker.holdings.keys()]).toEqual([name]);
    expect(worker.calls).toContain(`release ${orphan}`);
  });

  test('Law 1 and sessions use is left alone, and does not keep other devices from being served', async () => {
    worker.before.release = () => {
      throw new HoldfastError('DEVICE_IN_USE', 'in use by 1 session');
    };
    await withOrphan();
    await registry.linked('up');
    expect(worker.holdings.has(orphan)).toBe(true);
    await registry.leases.acquire(leaseOfDisk);
  });
});

describe('a device that cannot be repaired', () => {
  const refused = { code: 'DEVICE_UNREPAIRED', message: expect.stringContaining('no memory') as string };

  async function whileUnrepaired() {
    const image = `${scene.image}.other`;
    writeFileSync(image, Buffer.alloc(512));
    const backing = { kind: 'file', path: image } as const;
    await registry.store.devices.create({ id: 'other', backing, readOnly: false, transient: false });
    await registry.attachments.attach('other');
    const handOver = registry.attachments.handOver.bind(registry.attachments);
    const failing = vi.spyOn(registry.attachments, 'handOver').mockImplementation(async (attachment, fd) => {
      if (attachment.deviceId === 'disk') throw new Error('no memory');
      await handOver(attachment, fd);
    });
    await worker.die();
    await registry.linked('down');
    const next = await scene.worker();
    await registry.linked('up');
    return {
      next,
      mend: () => {
        failing.mockRestore();
      },
    };
  }

  test('holds up no other, and is tried again until it is', async () => {
    const { next, mend } = await whileUnrepaired();
    await registry.leases.acquire({ ...leaseOfDisk, deviceId: 'other', session: 'beside' });
    await expect(registry.leases.acquire(leaseOfDisk)).rejects.toMatchObject(refused);
    await expect(registry.attachments.attach('disk')).rejects.toMatchObject(refused);
    mend();
    await vi.waitUntil(() => next.holdings.has(name), { timeout: 10_000 });
    await vi.waitUntil(() => registry.leases.acquire(leaseOfDisk).catch(() => false), { timeout: 10_000 });
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 1n });
  });

  test('Law 4 and is found to be lost later, is attached anew', async () => {
    await registry.die();
    await worker.die();
    const next = await scene.idleRegistry();
    // Of the first attempt to record that nobody holds it any more, the database knows nothing.
    vi.spyOn(next.store.attachments, 'transition').mockRejectedValueOnce(new Error('the disk is full'));
    await scene.worker();
    await next.lifecycle.start();
    await vi.waitUntil(
      async () => (await recordOf(next, 'disk')).state === 'CONNECTED' && next.holds.size > 0,
      {
        timeout: 10_000,
      },
    );
    expect(await recordOf(next, 'disk')).toMatchObject({ epoch: 2n });
  });

  test('can be detached, and is as good as new then', async () => {
    const { mend } = await whileUnrepaired();
    await registry.attachments.detach('disk');
    mend();
    await registry.attachments.attach('disk');
    expect(await recordOf(registry, 'disk')).toMatchObject({ state: 'CONNECTED', epoch: 2n });
  });
});

test('a device that cannot be attached does not keep the others, nor the registry from being ready', async () => {
  const backing = { kind: 'file', path: '/nowhere' } as const;
  const gone = { id: 'a-gone', backing, readOnly: false, transient: false };
  await registry.store.devices.create(gone);
  await registry.store.devices.setWanted('a-gone', true);
  await registry.die();
  await worker.die();
  await scene.worker();
  const next = await scene.registry();
  expect((await recordOf(next, 'a-gone')).state).toBe('FAILED');
  expect((await recordOf(next, 'disk')).state).toBe('CONNECTED');
});

test('a database that fails while devices are attached ends nothing: the registry goes on', async () => {
  const failing = vi
    .spyOn(registry.store.devices, 'listWanted')
    .mockRejectedValueOnce(new Error('disk full'));
  const ready = registry.ready();
  worker.breakStream();
  await ready;
  expect(failing).toHaveBeenCalledTimes(1);
});

function codeOf(error: unknown): string {
  return error instanceof HoldfastError ? error.code : String(error);
}
