import { randomUUID } from 'node:crypto';
import { registryV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';
import { recordOf, startScene, type Scene } from '../testing/scene.js';

const { STATE_CONNECTED, STATE_RELEASED } = registryV1.Attachment_State;
const name = 'devices/disk';

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;
let requestId: string;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('registered'));
  requestId = randomUUID();
});

const attach = (id: string | undefined = requestId) =>
  registry.devicesApi.attachDevice({ name, requestId: id });
const detach = (id?: string) =>
  registry.devicesApi.detachDevice({ name, drainTimeout: undefined, force: false, requestId: id });
const remove = (id?: string) => registry.devicesApi.deleteDevice({ name, requestId: id });
const create = (id: string | undefined, path = scene.image) =>
  registry.devicesApi.createDevice({
    deviceId: 'new',
    device: registryV1.Device.fromPartial({ backing: { $case: 'file', value: { path } } }),
    requestId: id,
  });
const adoptions = () => worker.calls.filter((call) => call.startsWith('adopt')).length;

/** As a kill does, in the middle of a call that the worker carries out. */
function dieAfter(call: 'adopt' | 'release'): void {
  const dead = registry;
  worker.after[call] = async () => {
    worker.after = {};
    await dead.die();
  };
}

async function restart(): Promise<void> {
  registry = await scene.registry();
}

describe('a request that is repeated under its id', () => {
  test('is answered as the first time, and not done again', async () => {
    const first = await attach();
    await detach();
    expect(await attach(requestId.toUpperCase())).toEqual(first);
    expect(first.attachment?.state).toBe(STATE_CONNECTED);
    expect((await recordOf(registry, 'disk')).state).toBe('RELEASED');
    expect(adoptions()).toBe(1);
  });

  test('is answered so by the next registry too', async () => {
    const first = await attach();
    await detach();
    await registry.die();
    await restart();
    expect(await attach()).toEqual(first);
    expect((await recordOf(registry, 'disk')).state).toBe('RELEASED');
  });

  test('joins the first while that is under way', async () => {
    const both = await Promise.all([attach(), attach()]);
    expect(both[0]).toEqual(both[1]);
    expect(adoptions()).toBe(1);
    await expect(Promise.all([detach(), detach()])).rejects.toMatchObject({ code: 'DEVICE_BUSY' });
  });

  test('is tried again after a failure, and so are those that had joined it', async () => {
    worker.after.adopt = () => {
      throw new HoldfastError('LIMIT_REACHED', 'no more');
    };
    const failed = await Promise.allSettled([attach(), attach()]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(adoptions()).toBe(1);
    worker.after = {};
    // What others did meanwhile is not what was asked for.
    await attach(randomUUID());
    await detach();
    expect((await attach()).attachment?.state).toBe(STATE_CONNECTED);
  });

  test('is refused as another request, whether the first is under way or done', async () => {
    const refusal = { code: 'REQUEST_ID_REUSED' };
    const first = attach();
    await expect(detach(requestId)).rejects.toMatchObject(refusal);
    await first;
    await expect(detach(requestId)).rejects.toMatchObject(refusal);
    await expect(
      registry.devicesApi.attachDevice({ name, requestId, expectedDiskseq: '1' }),
    ).rejects.toMatchObject(refusal);
    expect((await recordOf(registry, 'disk')).state).toBe('CONNECTED');
  });

  test.each(['', 'x', '{0}', '00000000-0000-0000-0000-000000000000', `${randomUUID()}0`])(
    'Law 5 has an id that is a UUID, not %j',
    async (id) => {
      await expect(attach(id)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        metadata: { field: 'request_id' },
      });
      expect(adoptions()).toBe(0);
    },
  );

  test('does not register, detach or remove a second time', async () => {
    const created = await create(requestId);
    await registry.devicesApi.deleteDevice({ name: 'devices/new' });
    expect(await create(requestId)).toEqual(created);
    expect(await registry.store.devices.find('new')).toBeUndefined();

    await attach(randomUUID());
    const detaching = randomUUID();
    const detached = await detach(detaching);
    await attach(randomUUID());
    expect(await detach(detaching)).toEqual(detached);
    expect((await recordOf(registry, 'disk')).state).toBe('CONNECTED');

    const removing = randomUUID();
    await remove(removing);
    await scene.add(registry, 'disk');
    await remove(removing);
    expect(await registry.store.devices.find('disk')).toBeDefined();
  });
});

describe('Law 2 a registry that is killed before it could answer', () => {
  test('an attach that was done is not done again, whatever became of it since', async () => {
    dieAfter('adopt');
    await expect(attach()).rejects.toThrow();
    await restart();
    await expect.poll(async () => (await recordOf(registry, 'disk')).state).toBe('CONNECTED');
    const { attachment } = await attach();
    expect(attachment).toMatchObject({ state: STATE_CONNECTED, epoch: 2n });
    expect(worker.holdings.size).toBe(1);
    await detach();
    expect(await attach()).toMatchObject({ attachment: { state: STATE_CONNECTED, epoch: 2n } });
    expect((await recordOf(registry, 'disk')).state).toBe('RELEASED');
  });

  test('an attach that was done is answered only once it is known whether it still is', async () => {
    const finish = vi.spyOn(registry.store.requests, 'finish').mockRejectedValueOnce(new Error('disk full'));
    await expect(attach()).rejects.toThrow('disk full');
    expect(finish).toHaveBeenCalledTimes(1);
    await worker.die();
    await registry.linked('down');
    await expect(attach()).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
    worker = await scene.worker();
    await registry.linked('up');
    expect((await attach()).attachment).toMatchObject({ state: STATE_CONNECTED, epoch: 1n });
  });

  test('an attach that somebody has detached since is not done again', async () => {
    dieAfter('adopt');
    await expect(attach()).rejects.toThrow();
    await restart();
    await expect.poll(async () => (await recordOf(registry, 'disk')).state).toBe('CONNECTED');
    await detach();
    expect((await attach()).attachment?.state).toBe(STATE_RELEASED);
    expect((await recordOf(registry, 'disk')).state).toBe('RELEASED');
  });

  test('an attach that was interrupted, and that nobody else took up, is done', async () => {
    const backing = { kind: 'file' as const, path: scene.image };
    const definition = { id: 'new', backing, readOnly: false, transient: false };
    await registry.store.devices.create({ ...definition, reattachment: 'MANUAL' });
    const attachNew = () => registry.devicesApi.attachDevice({ name: 'devices/new', requestId });
    dieAfter('adopt');
    await expect(attachNew()).rejects.toThrow();
    await restart();
    expect((await recordOf(registry, 'new')).state).toBe('LOST');
    expect((await attachNew()).attachment).toMatchObject({ state: STATE_CONNECTED, epoch: 2n });
  });

  test('a detach that the next one finished is not done again to what was attached since', async () => {
    await attach(randomUUID());
    dieAfter('release');
    await expect(detach(requestId)).rejects.toThrow();
    await restart();
    expect((await recordOf(registry, 'disk')).state).toBe('RELEASED');
    await attach(randomUUID());
    expect(await detach(requestId)).toMatchObject({ device: { name }, cutSessions: [] });
    expect((await recordOf(registry, 'disk')).state).toBe('CONNECTED');
  });

  test('a removal that had detached only goes on', async () => {
    await attach(randomUUID());
    dieAfter('release');
    await expect(remove(requestId)).rejects.toThrow();
    await restart();
    await remove(requestId);
    expect(await registry.store.devices.find('disk')).toBeUndefined();
  });
});
