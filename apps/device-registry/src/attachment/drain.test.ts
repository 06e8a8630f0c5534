import { registryV1, toDuration, workerV1 } from '@holdfast/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';
import { recordOf, startScene, type Scene } from '../testing/scene.js';

const { STATE_RELEASED } = registryV1.Attachment_State;

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('attached'));
});

async function session(name: string): Promise<bigint> {
  const { number } = await registry.leases.acquire({ deviceId: 'disk', access: 'READ_WRITE', session: name });
  worker.beginSession(number, name);
  return number;
}

const detach = (seconds: number, force = false) =>
  registry.devicesApi.detachDevice({ name: 'devices/disk', drainTimeout: toDuration(seconds * 1000), force });
const explain = () => registry.devicesApi.explainRelease({ name: 'devices/disk' });
const state = async () => (await recordOf(registry, 'disk')).state;

describe('a detach with a deadline', () => {
  test('Law 1 waits for the sessions to end, and then detaches', async () => {
    const lease = await session('s');
    const detached = detach(20);
    await expect.poll(state).toBe('DRAINING');
    expect(scene.openCount()).toBe(2);
    worker.endSession(lease);
    expect(await detached).toMatchObject({
      device: { attachment: { state: STATE_RELEASED } },
      cutSessions: [],
    });
    expect(scene.openCount()).toBe(0);
  });

  test('gives way to a detach that comes later: whoever waits may have gone', async () => {
    await session('s');
    const first = detach(3_600);
    const refused = expect(first).rejects.toMatchObject({
      code: 'DEVICE_IN_USE',
      message: expect.stringContaining('another detach has taken over') as string,
    });
    await expect.poll(state).toBe('DRAINING');
    await detach(0, true);
    await refused;
    expect(await state()).toBe('RELEASED');
  });

  test('Law 2 does not outlive the registry: the device is as before', async () => {
    await session('s');
    const refused = expect(detach(3_600)).rejects.toMatchObject({ code: 'DEVICE_IN_USE' });
    await expect.poll(state).toBe('DRAINING');
    await registry.lifecycle.drain();
    await refused;
    expect(await state()).toBe('CONNECTED');
  });

  test('keeps nobody else waiting when the worker is compared anew', async () => {
    const lease = await session('s');
    const detached = detach(20);
    await expect.poll(state).toBe('DRAINING');
    worker.breakStream();
    await registry.linked('down');
    await registry.linked('up');
    expect(await state()).toBe('DRAINING');
    worker.endSession(lease);
    await detached;
  });

  test('grants no new lease while it waits, and is explained', async () => {
    const lease = await session('s');
    const detached = detach(20);
    await expect.poll(state).toBe('DRAINING');
    const late = registry.leases.acquire({ deviceId: 'disk', access: 'READ_ONLY', session: 'late' });
    await expect(late).rejects.toMatchObject({ code: 'DEVICE_NOT_ATTACHED' });
    expect((await explain()).leases.map(({ session: name }) => name)).toEqual(['sessions/s']);
    worker.endSession(lease);
    await detached;
  });

  test('Law 1 that passes leaves everything as it was, and says who uses it', async () => {
    const lease = await session('s');
    await expect(detach(0.1)).rejects.toMatchObject({
      code: 'DEVICE_IN_USE',
      message: expect.stringMatching(/sessions s; see: holdfast device explain disk/) as string,
    });
    expect(await state()).toBe('CONNECTED');
    expect((await registry.store.devices.get('disk')).wantedAttached).toBe(true);
    await session('another');
    worker.endSession(lease);
  });

  test('of an idle device does not wait', async () => {
    expect((await detach(1000)).device?.attachment?.state).toBe(STATE_RELEASED);
  });

  test.each([-1, 86_401])('of %i seconds is refused', async (seconds) => {
    await expect(detach(seconds)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      metadata: { field: 'drain_timeout' },
    });
  });
});

describe('a forced detach', () => {
  test('Law 2 fences the leases, has their sessions ended, then detaches; it says what it cut', async () => {
    await session('a');
    await session('b');
    const fencedAtEnd: string[] = [];
    worker.before.end = async () => {
      fencedAtEnd.push(...(await registry.store.leases.listAll()).map((lease) => lease.state));
    };
    expect(await detach(0, true)).toMatchObject({
      device: { attachment: { state: STATE_RELEASED } },
      cutSessions: ['sessions/a', 'sessions/b'],
    });
    expect(new Set(fencedAtEnd)).toEqual(new Set(['FENCED']));
    expect(scene.openCount()).toBe(0);
  });

  test('Law 4 lets nobody in who was granted a lease and is still on the way to the worker', async () => {
    const { number } = await registry.leases.acquire({
      deviceId: 'disk',
      access: 'READ_WRITE',
      session: 'late',
    });
    await detach(0, true);
    expect(await state()).toBe('RELEASED');
    expect(worker.calls).toContain(`reconcile ${String(number)}`);
    expect(await registry.store.leases.listAll()).toEqual([]);
  });

  test('Law 1 lets go of nothing when the worker cannot end a session', async () => {
    await session('stuck');
    worker.before.end = () => {
      throw new Error('it is in the kernel');
    };
    await expect(detach(0, true)).rejects.toThrow('it is in the kernel');
    expect(await state()).toBe('CONNECTED');
    expect(scene.openCount()).toBe(2);
    expect((await explain()).leases).toMatchObject([{ session: 'sessions/stuck', fenced: true }]);
  });

  test('Law 2 of a registry that died after it fenced: the next one has the sessions ended', async () => {
    await session('s');
    await registry.store.leases.fence('disk');
    await registry.die();
    registry = await scene.registry();
    await expect.poll(() => worker.calls).toContain('end sessions/s');
    await expect.poll(async () => (await registry.store.leases.listAll()).length).toBe(0);
  });
});

test('Law 2 a registry that died while it waited leaves the device attached', async () => {
  const lease = await session('s');
  const { id } = await recordOf(registry, 'disk');
  await registry.store.attachments.transition(id, 'CONNECTED', 'DRAINING');
  await registry.die();
  registry = await scene.registry();
  await registry.linked('up');
  expect(await state()).toBe('CONNECTED');
  worker.endSession(lease);
});

describe('an explanation', () => {
  test('tells each lease with its client, age and last request', async () => {
    const lease = await session('s');
    expect((await explain()).leases).toEqual([
      {
        lease: `leases/${String(lease)}`,
        session: 'sessions/s',
        createTime: expect.any(Date) as Date,
        fenced: false,
        clientAddress: '192.0.2.1:1234',
        export: '',
        requests: 5n,
        lastRequestTime: new Date(1000),
        pins: 0n,
        pinnedBytes: 0n,
        oldestPinTime: undefined,
      },
    ]);
  });

  test('Law 1 tells what is pinned by each session, and what none will release any more', async () => {
    await session('s');
    await session('idle');
    const pin = (name: string, change: Partial<workerV1.Pin>) =>
      workerV1.Pin.fromPartial({
        session: `sessions/${name}`,
        attachment: 'devices/disk/attachments/1',
        segments: 3n,
        bytes: 4096n,
        ...change,
      });
    worker.pins = [
      pin('s', { acquireTime: new Date(5000) }),
      pin('s', { acquireTime: new Date(2000), segments: 1n }),
      pin('gone', { leaked: true, segments: 7n }),
      pin('elsewhere', { attachment: 'devices/disk2/attachments/1', leaked: true }),
    ];
    expect(await explain()).toMatchObject({
      leases: [
        { session: 'sessions/s', pins: 4n, pinnedBytes: 8192n, oldestPinTime: new Date(2000) },
        { session: 'sessions/idle', pins: 0n, pinnedBytes: 0n },
      ],
      leakedPins: 7n,
    });
  });

  test('of a device that nobody uses names nobody', async () => {
    expect(await explain()).toMatchObject({
      device: { name: 'devices/disk' },
      leases: [],
      holders: [],
      leakedPins: 0n,
    });
  });

  test('is given although the worker is away', async () => {
    await session('s');
    await worker.die();
    expect((await explain()).leases).toMatchObject([{ session: 'sessions/s', clientAddress: '' }]);
  });
});
