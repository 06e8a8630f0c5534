import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, Server, type Socket } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { createLogger } from '@holdfast/service';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Endpoints } from '../export/endpoints.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { Listeners } from './listeners.js';

function make() {
  const endpoints = new Endpoints();
  const accepted: Socket[] = [];
  const logger = createLogger('listeners', 'silent');
  const listeners = new Listeners(endpoints, (socket) => accepted.push(socket), logger);
  onTestFinished(() => {
    for (const socket of accepted) socket.destroy();
    listeners.close();
  });
  return { endpoints, accepted, listeners, logger, unixPath: path.join(temporaryFolder(), 'nbd.sock') };
}

const loopback = (port = 0) => ({ host: '127.0.0.1', port });

test('clients are accepted over TCP and at the Unix socket, and it is told where', async () => {
  const { endpoints, accepted, listeners, unixPath } = make();
  await listeners.listen({ tcp: loopback(), unixPath });
  expect(endpoints.tcp?.port).toBeGreaterThan(0);
  for (const where of [{ host: '127.0.0.1', port: endpoints.tcp?.port ?? 0 }, { path: unixPath }]) {
    const client = connect(where);
    await once(client, 'connect');
    client.destroy();
  }
  await expect.poll(() => accepted.length).toBe(2);
});

test('Law 8 the Unix socket is for its user alone, and without TCP nothing is open to a network', async () => {
  const { endpoints, listeners, unixPath } = make();
  await listeners.listen({ tcp: undefined, unixPath });
  expect(statSync(unixPath).mode & 0o777).toBe(0o600);
  expect(endpoints.list()).toEqual([`unix:${unixPath}`]);
});

test('an address in use is named', async () => {
  const first = make();
  await first.listeners.listen({ tcp: loopback(), unixPath: first.unixPath });
  const port = first.endpoints.tcp?.port ?? 0;
  const second = make();
  const taken = second.listeners.listen({ tcp: loopback(port), unixPath: second.unixPath });
  await expect(taken).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: `127.0.0.1:${String(port)} is in use by another program`,
  });
  expect(existsSync(second.unixPath)).toBe(false);
  const third = make();
  await expect(third.listeners.listen({ tcp: undefined, unixPath: first.unixPath })).rejects.toMatchObject({
    code: 'PORT_IN_USE',
  });
});

test('an address that is not ours is named', async () => {
  const { listeners, unixPath } = make();
  await expect(listeners.listen({ tcp: { host: '192.0.2.1', port: 1 }, unixPath })).rejects.toMatchObject({
    code: 'INVALID_SETTING',
    message: expect.stringContaining('cannot listen on 192.0.2.1:1') as string,
  });
});

test('what stands at the path and is no socket stays', async () => {
  const { listeners, unixPath } = make();
  writeFileSync(unixPath, 'precious');
  await expect(listeners.listen({ tcp: undefined, unixPath })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  expect(statSync(unixPath).isFile()).toBe(true);
});

test('a connection that cannot be accepted is logged, each time, and ends nothing', async () => {
  const { accepted, listeners, logger, unixPath } = make();
  const listen = vi.spyOn(Server.prototype, 'listen');
  const logged = vi.spyOn(logger, 'error');
  await listeners.listen({ tcp: undefined, unixPath });
  const server = listen.mock.contexts[0] as Server;
  for (let i = 0; i < 3; i++) server.emit('error', new Error('accept ENOBUFS'));
  expect(logged).toHaveBeenCalledTimes(3);
  expect(logged).toHaveBeenCalledWith(`a connection at ${unixPath} was lost: accept ENOBUFS`);
  const client = connect(unixPath);
  await once(client, 'connect');
  await expect.poll(() => accepted.length).toBe(1);
  client.destroy();
});

test('after the close nobody new gets in, the socket is gone, and those accepted go on', async () => {
  const { accepted, listeners, unixPath } = make();
  await listeners.listen({ tcp: undefined, unixPath });
  const client = connect(unixPath);
  await expect.poll(() => accepted.length).toBe(1);
  listeners.close();
  await expect.poll(() => existsSync(unixPath)).toBe(false);
  accepted[0]?.write('still here');
  const [data] = (await once(client, 'data')) as [Buffer];
  expect(data.toString()).toBe('still here');
  client.destroy();
});
