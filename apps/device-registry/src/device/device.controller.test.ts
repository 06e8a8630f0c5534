import { registryV1 } from '@holdfast/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import { startScene, type Scene } from '../testing/scene.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';

const { STATE_CONNECTED, STATE_FAILED, STATE_RELEASED } = registryV1.Attachment_State;

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('empty'));
});

const create = (deviceId: string, path = scene.image, change: Partial<registryV1.Device> = {}) =>
  registry.devicesApi.createDevice({
    deviceId,
    device: registryV1.Device.fromPartial({ backing: { $case: 'file', value: { path } }, ...change }),
  });
const get = (id: string) => registry.devicesApi.getDevice({ name: `devices/${id}` });
const attach = (id: string) => registry.devicesApi.attachDevice({ name: `devices/${id}` });
const detach = (id: string) =>
  registry.devicesApi.detachDevice({ name: `devices/${id}`, drainTimeout: undefined, force: false });
const remove = (id: string) => registry.devicesApi.deleteDevice({ name: `devices/${id}` });

async function publish(id: string, deviceId: string): Promise<void> {
  await registry.store.exports.create({
    ...{ id, deviceId, readOnly: false, description: '', transient: false },
    ...{ hidden: false, tlsRequired: false, allowedClients: [], connectionsMax: 0, clientConnectionsMax: 0 },
    writers: 'ANY',
    blockSize: { minimum: 1, preferred: 4096, payloadMaximum: 4096, required: false },
    rateLimit: { iops: 0, bytesPerSecond: 0n, burstMs: 1000 },
  });
}

describe('creating a device', () => {
  test('records it and opens nothing; repeated, it is answered as it is', async () => {
    const created = await create('disk');
    expect(created).toMatchObject({ name: 'devices/disk', readOnly: false, wantedAttached: false });
    expect(created.attachment).toBeUndefined();
    expect(await create('disk')).toEqual(created);
    expect(scene.openCount()).toBe(0);
  });

  test('under a name that has another definition is refused', async () => {
    await create('disk');
    await expect(create('disk', '/elsewhere')).rejects.toMatchObject({ code: 'DEVICE_EXISTS' });
  });

  test.each([
    { deviceId: '', path: '/a', field: 'device_id' },
    { deviceId: 'a/b', path: '/a', field: 'device_id' },
    { deviceId: 'disk', path: 'relative', field: 'device.file.path' },
    { deviceId: 'disk', path: '/nul\0', field: 'device.file.path' },
    { deviceId: 'disk', path: `/${'x'.repeat(4095)}`, field: 'device.file.path' },
  ])('Law 5 with a bad $field is refused by its name (case %#)', async ({ deviceId, path, field }) => {
    await expect(create(deviceId, path)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      metadata: { field },
    });
  });

  test('without a backing is refused', async () => {
    const request = { deviceId: 'disk', device: undefined };
    await expect(registry.devicesApi.createDevice(request)).rejects.toMatchObject({
      metadata: { field: 'device.backing' },
    });
  });
});

test('devices are listed page by page, by name', async () => {
  for (const id of ['c', 'a', 'b']) await create(id, `/images/${id}`);
  const first = await registry.devicesApi.listDevices({ pageSize: 2, pageToken: '' });
  expect(first.devices.map(({ name }) => name)).toEqual(['devices/a', 'devices/b']);
  const rest = await registry.devicesApi.listDevices({ pageSize: 2, pageToken: first.nextPageToken });
  expect(rest.devices.map(({ name }) => name)).toEqual(['devices/c']);
  expect(rest.nextPageToken).toBe('');
});

describe('a device’s attachment', () => {
  test('is told with its identity, size and epoch', async () => {
    await create('disk');
    const { attachment } = await attach('disk');
    expect(attachment).toMatchObject({
      state: STATE_CONNECTED,
      epoch: 1n,
      sizeBytes: 1048576n,
      errorReason: '',
    });
    expect(attachment?.identity?.diskseq).toBe('');
    expect(attachment?.identity?.inode).toBeGreaterThan(0n);
    expect((await detach('disk')).device?.attachment?.state).toBe(STATE_RELEASED);
  });

  test('that failed is told with the reason', async () => {
    await create('disk', '/nowhere');
    await expect(attach('disk')).rejects.toMatchObject({ code: 'DEVICE_OPEN_FAILED' });
    const { attachment } = await get('disk');
    expect(attachment).toMatchObject({ state: STATE_FAILED, errorReason: 'DEVICE_OPEN_FAILED' });
    expect(attachment?.errorMessage).toContain('/nowhere');
  });
});

describe('what is absent', () => {
  test('is not found, and cannot be attached', async () => {
    await expect(get('absent')).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
    await expect(attach('absent')).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
  });

  test('can be detached and deleted, since that is so already', async () => {
    expect(await detach('absent')).toEqual({ device: undefined, cutSessions: [] });
    await remove('absent');
  });
});

describe('deleting a device', () => {
  beforeEach(async () => {
    await create('disk');
    await attach('disk');
  });

  test('detaches it first', async () => {
    await remove('disk');
    await expect(get('disk')).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
    expect(worker.holdings.size).toBe(0);
    expect(scene.openCount()).toBe(0);
  });

  test('that an export names is refused before anything is closed', async () => {
    await publish('published', 'disk');
    await expect(remove('disk')).rejects.toMatchObject({
      code: 'DEVICE_IN_USE',
      message: expect.stringContaining('published') as string,
    });
    expect((await get('disk')).attachment?.state).toBe(STATE_CONNECTED);
    expect(scene.openCount()).toBe(2);
  });

  test('Law 1 that a session uses is refused before anything is closed', async () => {
    const { number } = await registry.leases.acquire({ deviceId: 'disk', access: 'READ_ONLY', session: 's' });
    worker.liveLeases = [number];
    await expect(remove('disk')).rejects.toMatchObject({ code: 'DEVICE_IN_USE' });
    expect(scene.openCount()).toBe(2);
  });
});
