import { once } from 'node:events';
import { connect, createServer, Socket, type ListenOptions, type NetConnectOpts } from 'node:net';
import path from 'node:path';
import { openFdCount } from '@holdfast/linux';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { formatPeer } from './client-peer.js';
import { detachSocket, peerOf } from './client-socket.js';

/** A client, and the socket that was accepted of it. */
async function connected(
  listen: ListenOptions,
  through?: string,
): Promise<{ client: Socket; accepted: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(listen);
  await once(server, 'listening');
  const address = server.address();
  if (address === null) throw new Error('the server does not listen');
  const where: NetConnectOpts =
    typeof address === 'string'
      ? { path: address }
      : { port: address.port, host: through ?? address.address };
  const client = connect(where);
  const [accepted] = (await once(server, 'connection')) as [Socket];
  server.close();
  for (const socket of [client, accepted]) {
    socket.on('error', () => undefined);
    onTestFinished(() => {
      socket.destroy();
    });
  }
  return { client, accepted };
}

const unix = () => ({ path: path.join(temporaryFolder(), 's') });
const kinds = [
  { kind: 'TCP', listen: () => ({ host: '127.0.0.1', port: 0 }) },
  { kind: 'Unix', listen: unix },
];

describe.each(kinds)('a $kind socket that is detached', ({ listen }) => {
  test('stays connected, and what was read already is not lost', async () => {
    const { client, accepted } = await connected(listen());
    client.write('read already, ');
    await once(accepted, 'readable');
    const { fd, alreadyRead } = detachSocket(accepted);
    expect(alreadyRead.toString()).toBe('read already, ');
    expect(accepted.destroyed).toBe(true);
    await new Promise(setImmediate);
    expect(client.destroyed).toBe(false);

    client.write('read later');
    const elsewhere = new Socket({ fd: fd.release(), readable: true, writable: true });
    onTestFinished(() => {
      elsewhere.destroy();
    });
    const [later] = (await once(elsewhere, 'data')) as [Buffer];
    expect(later.toString()).toBe('read later');
    elsewhere.write('answer');
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toBe('answer');
  });

  test('gives all that was read, however much, and leaves the rest in the socket', async () => {
    const { client, accepted } = await connected(listen());
    const sent = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => i % 251));
    client.write(sent);
    await vi.waitUntil(() => accepted.readableLength > 16_000);
    const { fd, alreadyRead } = detachSocket(accepted);
    expect(alreadyRead.length).toBeGreaterThan(16_000);
    const elsewhere = new Socket({ fd: fd.release(), readable: true, writable: true });
    onTestFinished(() => {
      elsewhere.destroy();
    });
    const received = [alreadyRead];
    let length = alreadyRead.length;
    elsewhere.on('data', (chunk: Buffer) => {
      received.push(chunk);
      length += chunk.length;
    });
    await vi.waitUntil(() => length >= sent.length, { timeout: 5_000 });
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  test('leaves exactly one descriptor, which is the caller’s', async () => {
    const { client, accepted } = await connected(listen());
    await new Promise(setImmediate);
    const before = openFdCount();
    const { fd } = detachSocket(accepted);
    await once(accepted, 'close');
    expect(openFdCount()).toBe(before);
    fd.close();
    expect(openFdCount()).toBe(before - 1);
    await once(client.resume(), 'end');
  });

  test('that was closed before is refused by name', async () => {
    const { accepted } = await connected(listen());
    accepted.destroy();
    expect(() => detachSocket(accepted)).toThrow(
      expect.objectContaining({ code: 'HANDOFF_FAILED' }) as Error,
    );
  });
});

function addressOf(socket: Socket): string | undefined {
  const peer = peerOf(socket);
  return peer === undefined ? undefined : formatPeer(peer);
}

describe('the address of a client', () => {
  test('over TCP is host and port, an IPv6 host in brackets', async () => {
    const { client, accepted } = await connected({ host: '127.0.0.1', port: 0 });
    expect(addressOf(accepted)).toBe(`127.0.0.1:${String(client.localPort)}`);
    const six = await connected({ host: '::1', port: 0 });
    expect(addressOf(six.accepted)).toBe(`[::1]:${String(six.client.localPort)}`);
  });

  test('over IPv4 is the IPv4 address, also at a socket for IPv6', async () => {
    const { client, accepted } = await connected({ host: '::', port: 0 }, '127.0.0.1');
    expect(accepted.remoteAddress).toBe('::ffff:127.0.0.1');
    expect(addressOf(accepted)).toBe(`127.0.0.1:${String(client.localPort)}`);
  });

  test('over a Unix socket is the process and user that the kernel names', async () => {
    const { accepted } = await connected(unix());
    const uid = process.getuid?.() ?? 0;
    expect(addressOf(accepted)).toBe(`unix:pid=${String(process.pid)},uid=${String(uid)}`);
  });

  test('of one that has gone is none', async () => {
    const { accepted } = await connected({ host: '127.0.0.1', port: 0 });
    accepted.destroy();
    expect(peerOf(accepted)).toBeUndefined();
  });
});
