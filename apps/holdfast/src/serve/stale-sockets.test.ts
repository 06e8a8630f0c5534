import { once } from 'node:events';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { stateLayout, type StateLayout } from '@holdfast/contracts';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { removeStaleSockets } from './stale-sockets.js';

let layout: StateLayout;

beforeEach(() => {
  layout = stateLayout(temporaryFolder());
});

/** A socket as a killed process leaves it: there, and nobody behind it. */
async function leaveSocket(location: string): Promise<void> {
  const server = createServer().listen(`${location}~`);
  await once(server, 'listening');
  // Renamed, so that the close does not remove it.
  renameSync(`${location}~`, location);
  server.close();
  await once(server, 'close');
}

test('every socket of the folder that a killed service left is removed, and the NBD socket wherever it is', async () => {
  const { registrySocket, workerSocket, gatewaySocket, registryHandoff, workerHandoff } = layout;
  const nbdSocket = path.join(temporaryFolder(), 'nbd.sock');
  const all = [registrySocket, workerSocket, gatewaySocket, registryHandoff, workerHandoff, nbdSocket];
  for (const location of all) await leaveSocket(location);
  await removeStaleSockets(layout, nbdSocket);
  expect(all.filter((location) => existsSync(location))).toEqual([]);
});

test('Law 1 a socket at which somebody listens stays', async () => {
  const server = createServer().listen(layout.nbdSocket);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  await removeStaleSockets(layout, layout.nbdSocket);
  expect(existsSync(layout.nbdSocket)).toBe(true);
});

test('what is no socket stays', async () => {
  writeFileSync(layout.nbdSocket, 'precious');
  writeFileSync(layout.database, '');
  await removeStaleSockets(layout, layout.nbdSocket);
  expect(existsSync(layout.nbdSocket)).toBe(true);
  expect(existsSync(layout.database)).toBe(true);
});

test('a folder without sockets is left as it is', async () => {
  await removeStaleSockets(layout, layout.nbdSocket);
});
