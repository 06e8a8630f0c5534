import { setTimeout as delay } from 'node:timers/promises';
import { Errno } from '@holdfast/linux';
import { errorChunk } from '@holdfast/nbd-client/testing/wire';
import { describe, expect, test } from 'vitest';
import { isPending, remoteScene } from '../testing/remote-scene.js';

const READ = 0;
const WRITE = 1;
const KIB = 1024;
const never = new Promise<void>(() => undefined);

describe('replay', () => {
  test('what the server had not answered when it died is sent again to the one that comes back', async () => {
    const { server, io, buffer } = await remoteScene();
    server.onRequest = () => never;
    const read = io.read(buffer, 0, 9, 9);
    await expect.poll(() => server.types).toEqual([READ]);
    await server.die();
    server.onRequest = () => undefined;
    expect(await isPending(read, 100)).toBe(true);
    await server.comeBack();
    expect(await read).toBe(0);
    expect(buffer.bytes.toString('latin1', 0, 9)).toBe('upstream ');
    expect(server.types).toEqual([READ, READ]);
  });

  test('a WRITE that was answered is never sent again', async () => {
    const { server, io, buffer } = await remoteScene();
    expect(await io.write(buffer, 0, 512, 0, false)).toBe(0);
    server.onRequest = ({ type }) => (type === READ ? never : undefined);
    const read = io.read(buffer, 0, 512, 0);
    await expect.poll(() => server.types).toEqual([WRITE, READ]);
    server.onRequest = () => undefined;
    server.cutOff();
    expect(await read).toBe(0);
    expect(server.types).toEqual([WRITE, READ, READ]);
  });

  test('the data of a WRITE that is sent again is whole', async () => {
    const { server, io, buffer } = await remoteScene();
    buffer.bytes.fill('again');
    server.onRequest = () => never;
    const write = io.write(buffer, 0, 128 * KIB, 64 * KIB, true);
    await expect.poll(() => server.types).toEqual([WRITE]);
    await server.die();
    server.onRequest = () => undefined;
    await server.comeBack();
    expect(await write).toBe(0);
    expect(server.served.image.subarray(64 * KIB, 192 * KIB)).toEqual(buffer.bytes.subarray(0, 128 * KIB));
  });

  test('is for as long as was said: then requests fail with EIO, and go on once the server is back', async () => {
    const { server, io, buffer } = await remoteScene({}, { reconnectMs: 300 });
    server.onRequest = () => never;
    const begun = performance.now();
    const read = io.read(buffer, 0, 512, 0);
    await expect.poll(() => server.types).toEqual([READ]);
    await server.die();
    expect(await read).toBe(Errno.EIO);
    expect(performance.now() - begun).toBeGreaterThan(290);
    expect(performance.now() - begun).toBeLessThan(3_000);
    // One that comes later gets an attempt, and no more.
    expect(await io.read(buffer, 0, 512, 0)).toBe(Errno.EIO);
    server.onRequest = () => undefined;
    await server.comeBack();
    await expect.poll(() => io.read(buffer, 0, 512, 0), { timeout: 5_000 }).toBe(0);
  });

  test('of a server that dies of each request ends as well', async () => {
    // Longer than any pause, so that each outage alone would be waited for.
    const { server, io, buffer } = await remoteScene({}, { reconnectMs: 2_500 });
    server.onRequest = () => {
      server.cutOff();
    };
    expect(await io.read(buffer, 0, 512, 0)).toBe(Errno.EIO);
    // Pauses grow although each connection succeeds.
    expect(server.requests.length).toBeLessThan(12);
  });

  test('also follows a server that says it is being shut down', async () => {
    const { server, io, buffer } = await remoteScene({ mode: 'structured' });
    let refusals = 0;
    server.refuse = (request) =>
      refusals++ === 0
        ? errorChunk({ extended: false, cookie: request.cookie, offset: request.offset }, 108)
        : undefined;
    expect(await io.read(buffer, 0, 512, 0)).toBe(0);
    expect(refusals).toBe(2);
  });
});

describe('fail', () => {
  test('what was not answered fails with EIO at once; the next request works when the server is back', async () => {
    const { server, io, buffer } = await remoteScene({}, { onDisconnect: 'fail' });
    server.onRequest = () => never;
    const read = io.read(buffer, 0, 512, 0);
    await expect.poll(() => server.types).toEqual([READ]);
    server.onRequest = () => undefined;
    server.cutOff();
    expect(await read).toBe(Errno.EIO);
    expect(await io.read(buffer, 0, 512, 0)).toBe(0);
    expect(server.types).toEqual([READ, READ]);
  });

  test('a request fails with EIO after one attempt to connect', async () => {
    const { server, io, buffer, link } = await remoteScene({}, { onDisconnect: 'fail' });
    await server.die();
    expect(await io.read(buffer, 0, 512, 0)).toBe(Errno.EIO);
    expect(link.hasChanged).toBe(false);
  });
});

describe('what comes back', () => {
  test.each([
    ['of another size', { sizeBytes: 512 * KIB }],
    ['read-only', { flags: 0x1def }],
    ['without TRIM', { flags: 0x1ded & ~(1 << 5) }],
    ['with larger blocks', { blockSize: [4096, 4096, 32 * KIB * KIB] as const }],
  ])('D6 %s is another export: nothing is sent to it, and the session is told', async (_what, change) => {
    const { server, io, buffer, link } = await remoteScene();
    server.served = { ...server.served, ...change };
    server.cutOff();
    await link.changed;
    expect(link.hasChanged).toBe(true);
    expect(await io.read(buffer, 0, 512, 0)).toBe(Errno.EIO);
    expect(server.requests).toEqual([]);
  });

  test('with smaller pieces and without contexts is the same', async () => {
    const { server, io, buffer, link } = await remoteScene();
    server.served = { ...server.served, blockSize: [1, 4096, 4096], contexts: {} };
    server.cutOff();
    expect(await io.read(buffer, 0, 8192, 0)).toBe(0);
    expect(link.hasChanged).toBe(false);
    expect(server.requests.map(({ length }) => length)).toEqual([4096n, 4096n]);
  });
});

describe('cutting a link', () => {
  test('fails what a silent server has not answered, at once', async () => {
    const { server, io, buffer, link } = await remoteScene();
    server.onRequest = () => never;
    const write = io.write(buffer, 0, 512, 0, false);
    await expect.poll(() => server.types).toEqual([WRITE]);
    link.cut();
    expect(await write).toBe(Errno.EIO);
    await expect.poll(() => server.connections).toBe(0);
  });

  test('fails what waits for a server that is away, and ends the attempts', async () => {
    const { server, io, buffer, link } = await remoteScene();
    await server.die();
    const read = io.read(buffer, 0, 512, 0);
    expect(await isPending(read, 50)).toBe(true);
    link.cut();
    expect(await read).toBe(Errno.EIO);
    await server.comeBack();
    await delay(300);
    expect(server.connections).toBe(0);
  });
});
