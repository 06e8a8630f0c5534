import path from 'node:path';
import { Server } from '@grpc/grpc-js';
import { checkHealth, createClient, type ServiceDefinition } from '@holdfast/contracts';
import { listenAt } from '@holdfast/contracts/testing/grpc-server';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { service } from 'grpc-health-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ServiceHealth } from './health.js';

const NAME = 'holdfast.worker.v1.WorkerService';

async function serve() {
  const address = `unix:${path.join(temporaryFolder(), 's')}`;
  const health = new ServiceHealth([NAME]);
  const server = new Server();
  health.addToServer(server);
  await listenAt(address, server);
  const client = createClient(service as unknown as ServiceDefinition, address);
  onTestFinished(() => {
    client.close();
    server.forceShutdown();
  });
  return { health, address, client };
}

test('a service is NOT_SERVING until it is ready, and again once it stops', async () => {
  const { health, address } = await serve();
  expect(await checkHealth(address)).toBe('NOT_SERVING');
  health.ready();
  expect(await checkHealth(address)).toBe('SERVING');
  health.stopping();
  expect(await checkHealth(address)).toBe('NOT_SERVING');
});

test('a service that stops before it was ready never serves', async () => {
  const { health, address } = await serve();
  health.stopping();
  health.ready();
  expect(await checkHealth(address)).toBe('NOT_SERVING');
});

test('whoever watches one service by its name hears every change', async () => {
  const { health, client } = await serve();
  const heard: unknown[] = [];
  const watch = client['Watch'] as unknown as (request: { service: string }) => NodeJS.ReadableStream;
  const stream = watch({ service: NAME });
  stream.on('data', ({ status }: { status: unknown }) => heard.push(status));
  stream.on('error', () => undefined);
  const hears = (...expected: string[]) =>
    vi.waitFor(() => {
      expect(heard).toEqual(expected);
    });
  await hears('NOT_SERVING');
  health.ready();
  await hears('NOT_SERVING', 'SERVING');
  health.stopping();
  await hears('NOT_SERVING', 'SERVING', 'NOT_SERVING');
});
