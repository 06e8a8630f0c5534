import { gatewayV1 } from '@holdfast/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import { TestGateway } from '../testing/gateway.js';
import { PskUpgrade } from '../testing/psk-upgrade.js';

let gateway: TestGateway;

const device = { backing: { kind: 'file', path: '/disk' }, transient: false } as const;

beforeEach(async () => {
  gateway = await TestGateway.start();
  for (const [id, readOnly] of [
    ['disk', false],
    ['rom', true],
  ] as const) {
    await gateway.store.devices.create({ ...device, id, readOnly });
    gateway.registry.devices.set(`devices/${id}`, { readOnly });
  }
});

const create = (exportId: string, change: Partial<gatewayV1.Export> = {}) =>
  gateway.exportsApi.createExport({
    exportId,
    export: gatewayV1.Export.fromPartial({ device: 'devices/disk', ...change }),
  });

const sizes = (change: Partial<gatewayV1.BlockSize>) => gatewayV1.BlockSize.fromPartial(change);
const networks = (count: number) => Array.from({ length: count }, (_, index) => `10.0.${String(index)}.0/24`);
const defaults = { minimum: 1, preferred: 4096, payloadMaximum: 33_554_432, required: false };

describe('publishing', () => {
  test('answers with the URIs by which clients reach the export; repeated, it answers the same', async () => {
    const created = await create('my disk', { description: 'mine' });
    const port = String(gateway.endpoints.tcp?.port);
    expect(created).toMatchObject({
      name: 'exports/my disk',
      device: 'devices/disk',
      description: 'mine',
      uris: [`nbd://127.0.0.1:${port}/my%20disk`, `nbd+unix:///my%20disk?socket=${gateway.layout.nbdSocket}`],
    });
    expect(await create('my disk', { description: 'mine' })).toEqual(created);
    expect(await gateway.exportsApi.getExport({ name: 'exports/my disk' })).toEqual(created);
  });

  test('that needs TLS answers with URIs that begin it', async () => {
    const schemes = async (id: string, change: Partial<gatewayV1.Export>) =>
      (await create(id, change)).uris.map((uri) => uri.split(':')[0]);
    expect(await schemes('secret', { tlsRequired: true })).toEqual(['nbds', 'nbds+unix']);
    gateway = await TestGateway.start({}, new PskUpgrade('per-export'));
    await gateway.publish('disk');
    expect(await schemes('open', {})).toEqual(['nbd', 'nbd+unix']);
    gateway = await TestGateway.start({}, new PskUpgrade('required'));
    await gateway.publish('disk');
    expect(await schemes('any', {})).toEqual(['nbds', 'nbds+unix']);
  });

  test('under a name that has another definition is refused', async () => {
    await create('disk');
    await expect(create('disk', { readOnly: true })).rejects.toMatchObject({ code: 'EXPORT_EXISTS' });
  });

  test.each([
    { exportId: 'a/b', change: {}, field: 'export_id' },
    { exportId: '', change: {}, field: 'export_id' },
    { exportId: 'a', change: { device: '' }, field: 'export.device' },
    { exportId: 'a', change: { device: 'disk' }, field: 'export.device' },
    { exportId: 'a', change: { description: 'ü'.repeat(2049) }, field: 'export.description' },
    { exportId: 'a', change: { allowedClients: ['uid:0', 'everybody'] }, field: 'export.allowed_clients' },
    { exportId: 'a', change: { allowedClients: networks(257) }, field: 'export.allowed_clients' },
    { exportId: 'a', change: { connectionsMax: 65_536 }, field: 'export.connections_max' },
    { exportId: 'a', change: { clientConnectionsMax: 65_536 }, field: 'export.client_connections_max' },
    { exportId: 'a', change: { blockSize: sizes({ minimum: 3 }) }, field: 'export.block_size' },
    { exportId: 'a', change: { blockSize: sizes({ minimum: 131_072 }) }, field: 'export.block_size' },
    { exportId: 'a', change: { blockSize: sizes({ preferred: 256 }) }, field: 'export.block_size' },
    { exportId: 'a', change: { blockSize: sizes({ preferred: 5000 }) }, field: 'export.block_size' },
    {
      exportId: 'a',
      change: { blockSize: sizes({ minimum: 8192, preferred: 4096 }) },
      field: 'export.block_size',
    },
    { exportId: 'a', change: { blockSize: sizes({ payloadMaximum: 4095 }) }, field: 'export.block_size' },
    {
      exportId: 'a',
      change: { blockSize: sizes({ payloadMaximum: 33_554_433 }) },
      field: 'export.block_size.payload_maximum',
    },
    { exportId: 'a', change: { blockSize: sizes({ required: true }) }, field: 'export.block_size.required' },
  ])('Law 5 with a bad $field is refused by its name (case %#)', async ({ exportId, change, field }) => {
    await expect(create(exportId, change)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      metadata: { field },
    });
  });

  test('Law 5 a description may have 4096 bytes', async () => {
    expect((await create('a', { description: 'ü'.repeat(2048) })).description).toHaveLength(2048);
  });

  test('T5 block sizes that are left out are the defaults, and fit those that are given', async () => {
    expect((await create('none')).blockSize).toEqual(defaults);
    expect((await create('empty', { blockSize: sizes({}) })).blockSize).toEqual(defaults);
    const large = await create('large', { blockSize: sizes({ minimum: 65_536, required: true }) });
    expect(large.blockSize).toEqual({ ...defaults, minimum: 65_536, preferred: 65_536, required: true });
    // Said or left out, it is the same export.
    expect(await create('none', { blockSize: defaults })).toMatchObject({ name: 'exports/none' });
  });

  test('the policy is answered as it was given, allowed clients in order and each once', async () => {
    const policy = { hidden: true, tlsRequired: true, connectionsMax: 65_535, clientConnectionsMax: 1 };
    const allowedClients = ['uid:0', '10.0.0.0/8', 'certificate:alice', '10.0.0.0/8'];
    const created = await create('disk', { ...policy, allowedClients });
    expect(created).toMatchObject({
      ...policy,
      allowedClients: ['10.0.0.0/8', 'certificate:alice', 'uid:0'],
    });
    expect(await create('disk', { ...policy, allowedClients: [...allowedClients].reverse() })).toEqual(
      created,
    );
    await expect(create('disk', { ...policy, allowedClients: ['uid:0'] })).rejects.toMatchObject({
      code: 'EXPORT_EXISTS',
    });
    expect((await create('many', { allowedClients: networks(256) })).allowedClients).toHaveLength(256);
  });

  test('what does not exist is refused', async () => {
    await expect(create('a', { device: 'devices/tape' })).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
  });
});

test('exports are listed page by page, by name', async () => {
  for (const id of ['c', 'a', 'b']) await create(id);
  const first = await gateway.exportsApi.listExports({ pageSize: 2, pageToken: '' });
  expect(first.exports.map(({ name }) => name)).toEqual(['exports/a', 'exports/b']);
  const rest = await gateway.exportsApi.listExports({ pageSize: 2, pageToken: first.nextPageToken });
  expect(rest.exports.map(({ name }) => name)).toEqual(['exports/c']);
  expect(rest.nextPageToken).toBe('');
});

test('T18 what clients get is told beside what was asked for: read-only when the export or its device is', async () => {
  const { disk, rom } = { disk: { device: 'devices/disk' }, rom: { device: 'devices/rom' } };
  const cases = [
    { id: 'a', change: disk, own: false, effective: false },
    { id: 'b', change: { ...disk, readOnly: true }, own: true, effective: true },
    { id: 'c', change: rom, own: false, effective: true },
    { id: 'd', change: { ...rom, readOnly: true }, own: true, effective: true },
  ];
  const { exportsApi } = gateway;
  for (const { id, change, own, effective } of cases) {
    const told = { readOnly: own, effectiveReadOnly: effective };
    expect(await create(id, change)).toMatchObject(told);
    expect(await exportsApi.getExport({ name: `exports/${id}` })).toMatchObject(told);
  }
  const { exports } = await exportsApi.listExports({ pageSize: 0, pageToken: '' });
  expect(exports.map(({ effectiveReadOnly }) => effectiveReadOnly)).toEqual([false, true, true, true]);
});

test('what is withdrawn is not found, and can be withdrawn again', async () => {
  await create('disk');
  await gateway.exportsApi.deleteExport({ name: 'exports/disk' });
  await gateway.exportsApi.deleteExport({ name: 'exports/disk' });
  await expect(gateway.exportsApi.getExport({ name: 'exports/disk' })).rejects.toMatchObject({
    code: 'EXPORT_NOT_FOUND',
  });
});
