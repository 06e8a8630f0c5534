import { leaseName, registryV1 } from '@holdfast/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import { Scene } from '../testing/scene.js';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';

const { ACCESS_READ_ONLY, ACCESS_READ_WRITE, ACCESS_UNSPECIFIED, UNRECOGNIZED } = registryV1.Access;

let worker: RecordingWorker;
let registry: TestRegistry;

beforeEach(async () => {
  const scene = new Scene();
  worker = await scene.worker();
  registry = await scene.registry();
  await scene.add(registry, 'disk');
  await scene.add(registry, 'idle', { readOnly: true });
  await registry.attachments.attach('disk');
});

const acquire = (session: string, access: registryV1.Access = ACCESS_READ_WRITE, device = 'devices/disk') =>
  registry.leasesApi.acquireLease({ device, access, session: `sessions/${session}`, clientGroup: '' });
const list = (request: Partial<registryV1.ListLeasesRequest> = {}) =>
  registry.leasesApi.listLeases({ device: '', pageSize: 0, pageToken: '', ...request });

describe('acquiring a lease', () => {
  test('Law 4 ties it to attachment, epoch and worker process', async () => {
    const lease = await acquire('one');
    expect(lease).toMatchObject({
      device: 'devices/disk',
      epoch: 1n,
      access: ACCESS_READ_WRITE,
      session: 'sessions/one',
      workerInstance: worker.instance,
      sizeBytes: 1024n * 1024n,
    });
    expect(lease.attachment).toBe([...worker.holdings.keys()][0]);
  });

  test('again for the same session is answered with the same lease', async () => {
    expect(await acquire('one')).toEqual(await acquire('one'));
  });

  test.each([ACCESS_UNSPECIFIED, UNRECOGNIZED, 7 as registryV1.Access])(
    'Law 5 access %i, which the contract does not name, is refused by the field',
    async (access) => {
      await expect(acquire('one', access)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        metadata: { field: 'access' },
      });
    },
  );

  test.each([
    ['devices/disk/attachments/x', 'INVALID_ARGUMENT'],
    ['devices/absent', 'DEVICE_NOT_FOUND'],
    ['devices/idle', 'DEVICE_NOT_ATTACHED'],
  ])('on %s is %s', async (device, code) => {
    await expect(acquire('one', ACCESS_READ_ONLY, device)).rejects.toMatchObject({ code });
  });

  test('for writing on a read-only device is refused', async () => {
    await registry.attachments.detach('disk');
    await registry.attachments.attach('idle');
    await acquire('reader', ACCESS_READ_ONLY, 'devices/idle');
    await expect(acquire('writer', ACCESS_READ_WRITE, 'devices/idle')).rejects.toMatchObject({
      code: 'DEVICE_READ_ONLY',
    });
  });

  test('without a worker is refused with what to do', async () => {
    await worker.die();
    await registry.linked('down');
    await expect(acquire('one')).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
  });
});

describe('releasing a lease', () => {
  test('that was never used is granted on the holder’s word, checked with the worker', async () => {
    const { name } = await acquire('one');
    worker.calls.length = 0;
    await registry.leasesApi.releaseLease({ name });
    expect(worker.calls).toEqual(['reconcile 0']);
    expect((await list()).leases).toEqual([]);
    await registry.leasesApi.releaseLease({ name });
  });

  test('Law 1 under which a session runs is refused, whoever says otherwise', async () => {
    const { name } = await acquire('one');
    worker.liveLeases = [leaseName.parse(name)];
    await expect(registry.leasesApi.releaseLease({ name })).rejects.toMatchObject({ code: 'DEVICE_IN_USE' });
    expect((await list()).leases.map((lease) => lease.name)).toEqual([name]);
  });

  test('Law 1 is refused while the worker cannot be asked', async () => {
    const { name } = await acquire('one');
    await worker.die();
    await registry.linked('down');
    await expect(registry.leasesApi.releaseLease({ name })).rejects.toMatchObject({ status: 'UNAVAILABLE' });
    expect((await list()).leases).toHaveLength(1);
  });
});

describe('listing leases', () => {
  test('goes page by page, oldest first, to the end', async () => {
    for (const session of ['one', 'two', 'three']) await acquire(session);
    const first = await list({ pageSize: 2 });
    expect(first.leases.map(({ session }) => session)).toEqual(['sessions/one', 'sessions/two']);
    const second = await list({ pageSize: 2, pageToken: first.nextPageToken });
    expect(second.leases.map(({ session }) => session)).toEqual(['sessions/three']);
    expect(second.nextPageToken).toBe('');
  });

  test('can be of one device', async () => {
    await acquire('one');
    expect((await list({ device: 'devices/disk' })).leases).toHaveLength(1);
    expect((await list({ device: 'devices/idle' })).leases).toHaveLength(0);
  });

  test.each(['YWJj', '!!', Buffer.from('-1').toString('base64url')])(
    'Law 5 the token %s, which is none of ours, is refused',
    async (pageToken) => {
      await expect(list({ pageToken })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        metadata: { field: 'page_token' },
      });
    },
  );
});
