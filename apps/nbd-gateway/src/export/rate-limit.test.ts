import { toDuration, type gatewayV1 } from '@holdfast/contracts';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { TestGateway } from '../testing/gateway.js';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await TestGateway.start();
  await gateway.publish('disk', { rateLimit: rate({ iops: 100 }) });
});

function rate(change: Partial<gatewayV1.RateLimit>): gatewayV1.RateLimit {
  return { iops: 0, bytesPerSecond: 0n, burst: undefined, ...change };
}

async function update(rateLimit: gatewayV1.RateLimit | undefined, updateMask?: string[]) {
  const { exportsApi } = gateway;
  const before = await exportsApi.getExport({ name: 'exports/disk' });
  return await exportsApi.updateExport({ export: { ...before, rateLimit }, updateMask });
}

describe('the rate limit of an export', () => {
  test('is answered as it was given, with the default burst', async () => {
    const { rateLimit } = await gateway.exportsApi.getExport({ name: 'exports/disk' });
    expect(rateLimit).toEqual({ iops: 100, bytesPerSecond: 0n, burst: toDuration(1000) });
  });

  test('changes as a whole without a mask, and in the named parts with one', async () => {
    const whole = await update(rate({ bytesPerSecond: 65_536n, burst: toDuration(10) }));
    expect(whole.rateLimit).toEqual({ iops: 0, bytesPerSecond: 65_536n, burst: toDuration(10) });
    const part = await update(rate({ iops: 5, bytesPerSecond: 1_000_000n }), ['rate_limit.iops']);
    expect(part.rateLimit).toEqual({ iops: 5, bytesPerSecond: 65_536n, burst: toDuration(10) });
    const none = await update(undefined, ['rate_limit']);
    expect(none.rateLimit).toEqual({ iops: 0, bytesPerSecond: 0n, burst: toDuration(1000) });
    expect(await gateway.exportsApi.getExport({ name: 'exports/disk' })).toEqual(none);
  });

  test('is told to the worker when it changes, each time with a later revision', async () => {
    await update(rate({ iops: 7 }));
    await update(rate({ iops: 8 }));
    const told = gateway.worker.rateLimits;
    expect(told.map(({ iops, revision }) => ({ iops, revision }))).toEqual([
      { iops: 7, revision: 1n },
      { iops: 8, revision: 2n },
    ]);
    expect(told[0]?.account).toMatch(/^exports\/disk@\d+$/);
  });

  test('is told to a worker that is found again, for the exports that it has sessions of', async () => {
    await gateway.publish('other');
    gateway.worker.put('sessions/1', 'exports/disk');
    gateway.worker.breakStream();
    await vi.waitUntil(() => gateway.worker.rateLimits.length > 0, { timeout: 5_000 });
    expect(gateway.worker.rateLimits).toMatchObject([{ iops: 100, revision: 0n }]);
  });

  test('changes in the record also when no worker hears of it', async () => {
    await gateway.worker.stop();
    expect((await update(rate({ iops: 9 }))).rateLimit).toMatchObject({ iops: 9 });
  });

  test('of an export that is published anew is another account', async () => {
    await update(rate({ iops: 7 }));
    await gateway.exportsApi.deleteExport({ name: 'exports/disk' });
    await gateway.store.exports.create({
      ...{ id: 'disk', deviceId: 'disk', readOnly: false, description: '', transient: false, hidden: false },
      ...{
        tlsRequired: false,
        allowedClients: [],
        connectionsMax: 0,
        clientConnectionsMax: 0,
        writers: 'ANY',
      },
      blockSize: { minimum: 1, preferred: 4096, payloadMaximum: 4096, required: false },
      rateLimit: { iops: 1, bytesPerSecond: 0n, burstMs: 1000 },
    });
    await update(rate({ iops: 8 }));
    const [first, second] = gateway.worker.rateLimits;
    expect(second?.revision).toBe(1n);
    expect(second?.account).not.toBe(first?.account);
  });

  test.each([
    [rate({ iops: 10_000_001 }), 'export.rate_limit.iops'],
    [rate({ bytesPerSecond: 65_535n }), 'export.rate_limit.bytes_per_second'],
    [rate({ bytesPerSecond: 2n ** 40n + 1n }), 'export.rate_limit.bytes_per_second'],
    [rate({ burst: toDuration(9) }), 'export.rate_limit.burst'],
    [rate({ burst: toDuration(3_600_001) }), 'export.rate_limit.burst'],
  ])('Law 5 is refused beyond its bounds (case %#)', async (bad, field) => {
    const refusal = { code: 'INVALID_ARGUMENT', metadata: { field } };
    await expect(update(bad)).rejects.toMatchObject(refusal);
    await expect(gateway.publish('bad', { rateLimit: bad })).rejects.toMatchObject(refusal);
  });

  test.each([['read_only'], ['rate_limit.unknown'], ['constructor'], ['rate_limit', 'writers']])(
    'is all of an export that can change: a mask of %s is refused',
    async (...mask) => {
      await expect(update(rate({}), mask)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        metadata: { field: 'update_mask' },
      });
    },
  );

  test('of an export that there is none of is not found', async () => {
    const nobody = await gateway.exportsApi.getExport({ name: 'exports/disk' });
    await expect(
      gateway.exportsApi.updateExport({
        export: { ...nobody, name: 'exports/nobody' },
        updateMask: undefined,
      }),
    ).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
  });
});
