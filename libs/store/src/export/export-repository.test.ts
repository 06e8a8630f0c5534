import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import { deviceOf, exportOf } from '../testing/records.js';
import type { ExportDefinition } from './export-record.js';

describeDatabases('exports', (database) => {
  async function openWithDevices() {
    const store = await database.open();
    for (const id of ['a', 'b']) await store.devices.create(deviceOf(id));
    return store;
  }

  test('an export is answered as it was published', async () => {
    const { exports } = await openWithDevices();
    const definition = exportOf('größe \u{1f4be}', {
      readOnly: true,
      description: 'a\nb',
      transient: true,
      hidden: true,
      tlsRequired: true,
      allowedClients: ['10.0.0.0/8', 'certificate:größe'],
      connectionsMax: 2 ** 31 - 1,
      clientConnectionsMax: 1,
      blockSize: { minimum: 65_536, preferred: 2 ** 30, payloadMaximum: 2 ** 31 - 1, required: true },
      rateLimit: { iops: 10_000_000, bytesPerSecond: 2n ** 40n, burstMs: 3_600_000 },
      chunks: { map: 'größe', field: 'chunk', allocator: 'pool' },
    });
    const created = await exports.create(definition);
    expect(created).toEqual({ ...definition, createTime: expect.any(Date) as Date, rateRevision: 0 });
    expect(await exports.get(definition.id)).toEqual(created);
    expect(await exports.find(definition.id)).toEqual(created);
  });

  test('repeating a publication answers with the export that exists, another definition is refused', async () => {
    const { exports } = await openWithDevices();
    const created = await exports.create(exportOf('x'));
    expect(await exports.create(exportOf('x'))).toEqual(created);
    const changes: Partial<ExportDefinition>[] = [
      ...[{ deviceId: 'b' }, { readOnly: true }, { description: 'other' }, { transient: true }],
      ...[{ hidden: true }, { tlsRequired: true }, { connectionsMax: 1 }, { clientConnectionsMax: 1 }],
      { allowedClients: ['10.0.0.0/8'] },
      { rateLimit: { ...created.rateLimit, iops: 1 } },
      { rateLimit: { ...created.rateLimit, bytesPerSecond: 1n } },
      { rateLimit: { ...created.rateLimit, burstMs: 1 } },
      { blockSize: { ...created.blockSize, minimum: 512 } },
      { blockSize: { ...created.blockSize, preferred: 512 } },
      { blockSize: { ...created.blockSize, payloadMaximum: 4096 } },
      { blockSize: { ...created.blockSize, required: true } },
      { chunks: { map: 'm', field: 'f', allocator: 'a' } },
    ];
    for (const change of changes) {
      await expect(exports.create(exportOf('x', change))).rejects.toMatchObject({
        code: 'EXPORT_EXISTS',
        metadata: { export: 'x' },
      });
    }
  });

  test('a rate limit changes in the parts that are given, and every change has a later revision', async () => {
    const { exports } = await openWithDevices();
    await exports.create(exportOf('x'));
    const first = await exports.changeRateLimit('x', { iops: 100, bytesPerSecond: 2n ** 40n });
    expect(first).toMatchObject({
      rateRevision: 1,
      rateLimit: { iops: 100, bytesPerSecond: 2n ** 40n, burstMs: 1000 },
    });
    await exports.changeRateLimit('x', { burstMs: 10 });
    expect(await exports.get('x')).toMatchObject({
      rateRevision: 2,
      rateLimit: { iops: 100, bytesPerSecond: 2n ** 40n, burstMs: 10 },
    });
    await expect(exports.changeRateLimit('y', {})).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
  });

  test('a rule about clients is one line', async () => {
    const { exports } = await openWithDevices();
    for (const rule of ['', '10.0.0.0/8\nuid:0']) {
      await expect(exports.create(exportOf('x', { allowedClients: [rule] }))).rejects.toThrow('one line');
    }
  });

  test('a device that is unknown is not published', async () => {
    const { exports } = await openWithDevices();
    await expect(exports.create(exportOf('x', { deviceId: 'c' }))).rejects.toMatchObject({
      code: 'DEVICE_NOT_FOUND',
      metadata: { device: 'c' },
    });
    expect(await exports.find('x')).toBeUndefined();
  });

  test('what is absent is found by nobody, and removing it is OK', async () => {
    const { exports } = await openWithDevices();
    expect(await exports.find('x')).toBeUndefined();
    await expect(exports.get('x')).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
    await exports.remove('x');
    await exports.create(exportOf('x'));
    await exports.remove('x');
    expect(await exports.find('x')).toBeUndefined();
  });

  test('a list comes in pages by name', async () => {
    const { exports } = await openWithDevices();
    for (const id of ['b', 'A', 'a', 'B', 'é']) await exports.create(exportOf(id));
    const first = await exports.list({ pageSize: 3 });
    expect(first.items.map(({ id }) => id)).toEqual(['A', 'B', 'a']);
    expect(first.next).toBe('a');
    const second = await exports.list({ pageSize: 3, after: 'a' });
    expect(second.items.map(({ id }) => id)).toEqual(['b', 'é']);
    expect(second.next).toBeUndefined();
  });
});
