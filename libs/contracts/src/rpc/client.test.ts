import path from 'node:path';
import { status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import fc from 'fast-check';
import { onTestFinished, expect, test, vi } from 'vitest';
import { gatewayV1, registryV1, workerV1 } from '../index.js';
import { startServer } from '../testing/grpc-server.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { createClient } from './client.js';

const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
const address = () => `unix:${path.join(temporaryFolder(), 'service.sock')}`;

type Call = ServerUnaryCall<workerV1.ReconcileRequest, workerV1.ReconcileResponse>;

function holdingClient(target: string) {
  const client = createClient(workerV1.HoldingServiceService, target);
  onTestFinished(client.close);
  return client;
}

test('Law 7 64-bit values cross the wire exactly, up to 2^64−1, in both directions', async () => {
  const target = address();
  await startServer(target, workerV1.HoldingServiceService, {
    reconcile: ({ request }: Call, answer: sendUnaryData<workerV1.ReconcileResponse>) => {
      answer(null, {
        workerInstance: '',
        holdings: [],
        liveLeases: [request.voidLeasesUpTo, UINT64_MAX, 2n ** 53n + 1n, 0n],
      });
    },
  });
  const client = holdingClient(target);
  await fc.assert(
    fc.asyncProperty(fc.bigInt({ min: 0n, max: UINT64_MAX }), async (value) => {
      const { liveLeases } = await client.reconcile({ voidLeasesUpTo: value, voidUnclaimed: false });
      expect(liveLeases).toEqual([value, UINT64_MAX, 2n ** 53n + 1n, 0n]);
    }),
    { numRuns: 50, examples: [[UINT64_MAX], [2n ** 63n], [2n ** 53n + 1n]] },
  );
});

test('a service at which nothing listens is SERVICE_UNAVAILABLE, and the message names the address', async () => {
  const target = address();
  const call = holdingClient(target).reconcile({ voidLeasesUpTo: 0n, voidUnclaimed: false });
  await expect(call).rejects.toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    message: expect.stringContaining(`no answer from ${target}: `) as string,
    metadata: { address: target },
  });
});

test('a call that is not answered ends at its deadline', async () => {
  const target = address();
  const hang = vi.fn();
  await startServer(target, workerV1.HoldingServiceService, { reconcile: hang });
  const started = performance.now();
  const call = holdingClient(target).reconcile(
    { voidLeasesUpTo: 0n, voidUnclaimed: false },
    { deadlineMs: 150 },
  );
  await expect(call).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(performance.now() - started).toBeLessThan(2_000);
  expect(hang).toHaveBeenCalledTimes(1);
});

test('a service that was restarted is found again within a second', async () => {
  const target = address();
  const answer = (_call: unknown, done: sendUnaryData<workerV1.ReconcileResponse>) => {
    done(null, { workerInstance: 'again', holdings: [], liveLeases: [] });
  };
  const client = holdingClient(target);
  await expect(client.reconcile({ voidLeasesUpTo: 0n, voidUnclaimed: false })).rejects.toMatchObject({
    status: 'UNAVAILABLE',
  });
  await startServer(target, workerV1.HoldingServiceService, { reconcile: answer });
  await vi.waitFor(() => client.reconcile({ voidLeasesUpTo: 0n, voidUnclaimed: false }), {
    timeout: 2_000,
    interval: 50,
  });
});

test('an error of gRPC itself is INTERNAL and says where it came from', async () => {
  const target = address();
  await startServer(target, gatewayV1.GatewayServiceService, { getGateway: vi.fn() });
  const call = holdingClient(target).reconcile({ voidLeasesUpTo: 0n, voidUnclaimed: false });
  await expect(call).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringContaining(`${target} failed: ${String(status.UNIMPLEMENTED)} `) as string,
  });
});

test('the largest page there can be fits an answer', async () => {
  const target = address();
  const message = 'e'.repeat(2048);
  const attachment = registryV1.Attachment.fromPartial({ name: 'n'.repeat(300), errorMessage: message });
  const device = registryV1.Device.fromPartial({
    name: 'n'.repeat(263),
    backing: { $case: 'file', value: { path: 'p'.repeat(4095) } },
    attachment,
  });
  await startServer(target, registryV1.DeviceServiceService, {
    listDevices: (_call: unknown, done: sendUnaryData<registryV1.ListDevicesResponse>) => {
      done(null, { devices: Array.from({ length: 1000 }, () => device), nextPageToken: '' });
    },
  });
  const client = createClient(registryV1.DeviceServiceService, target);
  onTestFinished(client.close);
  const { devices } = await client.listDevices({ pageSize: 1000, pageToken: '' });
  expect(devices).toHaveLength(1000);
});
