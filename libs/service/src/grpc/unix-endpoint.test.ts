import { once } from 'node:events';
import { existsSync, lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { HandoffListener, socketPair } from '@holdfast/linux';
import { expect, onTestFinished, test } from 'vitest';
import { Child } from '../testing/child.js';
import { somebodyListens, takeOverSocketPath } from './unix-endpoint.js';

async function listen(location: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(location);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return server;
}

/** A socket whose process was killed: the file is there, nobody is behind it. */
async function staleSocket(state: string): Promise<string> {
  const child = new Child('test-service', { HOLDFAST_STATE: state });
  await child.says('ready');
  child.process.kill('SIGKILL');
  await child.ended();
  const location = path.join(state, 'test.sock');
  expect(lstatSync(location).isSocket()).toBe(true);
  return location;
}

test('a path where nothing is, is free', async () => {
  const location = path.join(temporaryFolder(), 'absent');
  await takeOverSocketPath(location);
  expect(await somebodyListens(location)).toBe(false);
});

test('Law 1 a socket that a dead process left is taken over, after a connect to it was refused', async () => {
  const location = await staleSocket(temporaryFolder());
  expect(await somebodyListens(location)).toBe(false);
  expect(existsSync(location)).toBe(true);
  await takeOverSocketPath(location);
  expect(existsSync(location)).toBe(false);
});

test('Law 1 a socket at which a process listens is left alone', async () => {
  const location = path.join(temporaryFolder(), 'live');
  await listen(location);
  await expect(takeOverSocketPath(location)).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: `another process listens on ${location}`,
    metadata: { path: location },
  });
  expect(await somebodyListens(location)).toBe(true);
});

test.each(['file', 'symbolic link'])('a %s at the path is left alone', async (kind) => {
  const folder = temporaryFolder();
  const location = path.join(folder, 'taken');
  if (kind === 'file') writeFileSync(location, '');
  else symlinkSync(path.join(folder, 'elsewhere'), location);
  await expect(takeOverSocketPath(location)).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: `${location} exists and is not a socket; move it away`,
  });
  expect(lstatSync(location).isSocket()).toBe(false);
});

test('Law 1 a socket of another kind, which tells nothing, is left alone', async () => {
  const location = path.join(temporaryFolder(), 'handoff');
  const listener = await HandoffListener.listen(location, {
    allowedUid: process.getuid?.() ?? 0,
    onHandoff: ({ fd }) => {
      fd.close();
    },
    onRefused: () => undefined,
  });
  onTestFinished(() => listener.close());
  await expect(takeOverSocketPath(location)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  expect(existsSync(location)).toBe(true);
});

test('a probe leaves no descriptor behind', async () => {
  const location = path.join(temporaryFolder(), 'live');
  const server = await listen(location);
  // Numbers are given out lowest first: the same number again means that nothing was kept in between.
  const lowest = () => {
    const [a, b] = socketPair();
    const { number } = a;
    a.close();
    b.close();
    return number;
  };
  await somebodyListens(location);
  await new Promise(setImmediate);
  const before = lowest();
  for (let i = 0; i < 20; i++) await somebodyListens(location);
  await expect.poll(() => lowest()).toBe(before);
  server.close();
});
