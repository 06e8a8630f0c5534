import { gatewayV1, verifierV1 } from '@holdfast/contracts';
import { startServer } from '@holdfast/contracts/testing/grpc-server';
import { HoldfastError } from '@holdfast/foundation';
import { beforeEach, expect, test } from 'vitest';
import { clientOver } from '../testing/connected-client.js';
import { TestGateway } from '../testing/gateway.js';
import { answering } from '../testing/grpc-answers.js';

const chunks = { map: 'maps/volume', field: 'chunk', allocator: 'allocators/pool' };
const SOURCE: verifierV1.ChunkSource = {
  ...{ device: 'devices/disk', mapNumber: 7n, allocatorNumber: 3n, entries: 4 },
  ...{ offset: 65_536n, chunkBytes: 4096, capacity: 16 },
};

let gateway: TestGateway;
let source: verifierV1.ChunkSource;
/** What worker and allocator-verifier were asked, in order. */
let calls: string[];
let onServe: () => unknown;

beforeEach(async () => {
  gateway = await TestGateway.start();
  await gateway.publish('disk');
  source = SOURCE;
  onServe = () => undefined;
  calls = [];
  gateway.worker.beforePrepare = () => calls.push('prepare');
  await startServer(`unix:${gateway.layout.verifierSocket}`, verifierV1.ChunkServiceService, {
    resolveChunks: answering(({ map, field, allocator }: verifierV1.ResolveChunksRequest) => {
      expect({ map, field, allocator }).toEqual(chunks);
      return source;
    }),
    serveChunks: answering(({ mapNumber, field, allocatorNumber }: verifierV1.ServeChunksRequest) => {
      calls.push(`serve ${String(mapNumber)}/${field}/${String(allocatorNumber)}`);
      onServe();
      return {};
    }),
  });
});

const publish = (change: Partial<gatewayV1.Export> = {}) =>
  gateway.exportsApi.createExport({
    exportId: 'volume',
    export: gatewayV1.Export.fromPartial({ chunks, ...change }),
  });

async function open() {
  const client = clientOver({ kind: 'tcp', host: '127.0.0.1', port: 1 }, { name: 'sessions/1' });
  const record = await gateway.store.exports.get('volume');
  return gateway.opener.open({
    client,
    record,
    negotiated: { replyMode: 'simple', contexts: [], tls: false },
  });
}

test('is published of the device that its allocator is on, and says so', async () => {
  const created = await publish();
  expect(created).toMatchObject({ device: 'devices/disk', chunks });
  expect(await publish(), 'repeated').toEqual(created);
  expect(await gateway.exportsApi.getExport({ name: 'exports/volume' })).toMatchObject({ chunks });
  await expect(publish({ device: 'devices/disk' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  for (const wrong of [{ field: '7' }, { map: 'volume' }, { allocator: 'pool' }]) {
    const refused = publish({ chunks: { ...chunks, ...wrong } });
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});

test('Law 4 what a client may reach is told when the worker has a place for it, and before it begins', async () => {
  await publish();
  const { description } = await open();
  expect(calls).toEqual(['prepare', 'serve 7/chunk/3']);
  expect(description.sizeBytes).toBe(4n * 4096n);
  expect(gateway.worker.sessions.get('sessions/1')?.chunks).toEqual({
    ...{ map: 7n, field: 'chunk', allocator: 3n, entries: 4, epoch: 0n },
    ...{ offset: 65_536n, chunkBytes: 4096, capacity: 16 },
  });
});

test('Law 1 nothing is left of a client of whose chunks the worker could not be told', async () => {
  await publish();
  onServe = () => {
    throw new HoldfastError('MAP_NOT_FOUND', 'freed meanwhile');
  };
  await expect(open()).rejects.toMatchObject({ code: 'MAP_NOT_FOUND' });
  expect(gateway.worker.sessions.size).toBe(0);
  expect(gateway.registry.leases.size).toBe(0);
});

test('an allocator that is on another device now is not served under the lease of this one', async () => {
  await publish();
  source = { ...SOURCE, device: 'devices/other' };
  await expect(open()).rejects.toMatchObject({ code: 'ALLOCATOR_NOT_FOUND' });
  expect(calls).toEqual([]);
  expect(gateway.registry.leases.size).toBe(0);
});
