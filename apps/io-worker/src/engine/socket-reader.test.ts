import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SocketReader } from './socket-reader.js';

/** Both ends of a connection: the one that a reader has, and the one that sends. */
async function connection(): Promise<{ readonly received: Socket; readonly sender: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sender = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [received] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    sender.destroy();
    received.destroy();
    server.close();
  });
  return { received, sender };
}

describe('whether something comes within a time', () => {
  test('nothing does: told again and again, however early a timer fires', async () => {
    const { received } = await connection();
    const reader = new SocketReader(received);
    for (let round = 0; round < 200; round++) expect(await reader.somethingWithin(round % 4)).toBe(false);
  });

  test('bytes do, and are read then', async () => {
    const { received, sender } = await connection();
    const reader = new SocketReader(received);
    const waited = reader.somethingWithin(10_000);
    sender.write('four');
    expect(await waited).toBe(true);
    const target = new Uint8Array(10);
    expect(await reader.readInto(target, 2, 8)).toBe(4);
    expect(Buffer.from(target).toString('latin1')).toBe('\0\0four\0\0\0\0');
  });

  test('the end does', async () => {
    const { received, sender } = await connection();
    const reader = new SocketReader(received);
    sender.end();
    expect(await reader.somethingWithin(10_000)).toBe(true);
    expect(await reader.readInto(new Uint8Array(1), 0, 1)).toBe(0);
  });
});
