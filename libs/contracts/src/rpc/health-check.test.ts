import path from 'node:path';
import { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { expect, onTestFinished, test } from 'vitest';
import { listenAt } from '../testing/grpc-server.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { checkHealth } from './health-check.js';

test('the health of a process is asked over the wire, and changes with it', async () => {
  const address = `unix:${path.join(temporaryFolder(), 's')}`;
  const health = new HealthImplementation({ '': 'NOT_SERVING' });
  const server = new Server();
  health.addToServer(server);
  await listenAt(address, server);
  onTestFinished(() => {
    server.forceShutdown();
  });
  expect(await checkHealth(address)).toBe('NOT_SERVING');
  health.setStatus('', 'SERVING');
  expect(await checkHealth(address)).toBe('SERVING');
});

test('a process that does not answer is SERVICE_UNAVAILABLE', async () => {
  const address = `unix:${path.join(temporaryFolder(), 's')}`;
  await expect(checkHealth(address, { deadlineMs: 500 })).rejects.toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    metadata: { address },
  });
});
