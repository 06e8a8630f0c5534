import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { createServer, type AddressInfo, type ListenOptions } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { checkTcpFree, checkUnixFree, parseListen } from './preflight.js';

async function listening(where: ListenOptions): Promise<AddressInfo> {
  const server = createServer().listen(where);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return server.address() as AddressInfo;
}

test('where to listen is an address, or none by name', () => {
  expect(parseListen('[::1]:0')).toEqual({ host: '::1', port: 0 });
  expect(parseListen('none')).toBe('none');
});

test.each(['', 'nowhere', '127.0.0.1', '127.0.0.1:65536', 'None'])('it is not "%s"', (text) => {
  expect(() => parseListen(text)).toThrow(
    expect.objectContaining({
      code: 'INVALID_SETTING',
      message: `--listen (or HOLDFAST_LISTEN) must be HOST:PORT with a port up to 65535, or none, got "${text}"`,
    }) as Error,
  );
});

describe('a TCP address', () => {
  test('that is free stays free', async () => {
    const { port } = await new Promise<AddressInfo>((resolve) => {
      const server = createServer().listen({ host: '127.0.0.1', port: 0 }, () => {
        const address = server.address() as AddressInfo;
        server.close(() => {
          resolve(address);
        });
      });
    });
    await checkTcpFree({ host: '127.0.0.1', port });
    await checkTcpFree({ host: '127.0.0.1', port });
  });

  test.each(['127.0.0.1', '::1'])('of %s that is in use is refused, and another asked for', async (host) => {
    const { port } = await listening({ host, port: 0 });
    const address = host === '::1' ? `[::1]:${String(port)}` : `127.0.0.1:${String(port)}`;
    await expect(checkTcpFree({ host, port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `${address} is in use by another program; choose another address by --listen`,
    });
  });

  test('that this machine does not have is refused', async () => {
    await expect(checkTcpFree({ host: '192.0.2.1', port: 10809 })).rejects.toMatchObject({
      message: expect.stringMatching(/^cannot listen on 192\.0\.2\.1:10809: .*--listen$/) as string,
    });
  });
});

describe('a Unix socket', () => {
  test('that is not there is free', async () => {
    const location = path.join(temporaryFolder(), 'nbd.sock');
    await checkUnixFree(location);
    expect(existsSync(location)).toBe(false);
  });

  test('that a dead process left is free', async () => {
    const folder = temporaryFolder();
    const [before, left] = [path.join(folder, 'a'), path.join(folder, 'b')];
    const server = createServer().listen(before);
    await once(server, 'listening');
    // Renamed, so that the close does not remove it.
    renameSync(before, left);
    server.close();
    await once(server, 'close');
    await checkUnixFree(left);
    expect(existsSync(left)).toBe(true);
  });

  test('at which somebody listens is refused, and another asked for', async () => {
    const location = path.join(temporaryFolder(), 'nbd.sock');
    await listening({ path: location });
    await expect(checkUnixFree(location)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `another program listens on ${location}; choose another path by --socket`,
    });
  });

  test('Law 5 has a path of at most 107 bytes', async () => {
    await checkUnixFree(`/${'x'.repeat(106)}`);
    await expect(checkUnixFree(`/${'ü'.repeat(54)}`)).rejects.toMatchObject({
      code: 'INVALID_SETTING',
      message: expect.stringContaining('at most 107 bytes') as string,
    });
  });
});
