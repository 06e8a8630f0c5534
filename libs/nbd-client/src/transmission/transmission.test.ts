import { Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { connectOver } from '../connect.js';
import { connectToMemory, connectToScript } from '../testing/connected.js';
import { serveHandshake, type ServedExport } from '../testing/handshake-script.js';
import { Peer, type ArrivedRequest } from '../testing/peer.js';
import { chunk, errorChunk, none, offsetData, pattern, simpleReply } from '../testing/wire.js';

const SIZE = 1 << 20;
const served = (mode: ServedExport['mode']): ServedExport => ({ mode, sizeBytes: SIZE });

async function readRequests(peer: Peer, count: number): Promise<ArrivedRequest[]> {
  const requests: ArrivedRequest[] = [];
  while (requests.length < count) requests.push(await peer.readRequest());
  return requests;
}

/** Lets everything run that can run without more input. */
const idle = () => new Promise((resolve) => setTimeout(resolve, 50));

test('no more requests are in flight than allowed, and the others follow in their order', async () => {
  let peer: Peer | undefined;
  const connection = await connectToScript(
    served('structured'),
    async (one) => {
      peer = one;
      await one.closed();
    },
    { inFlightMax: 3 },
  );
  const reads = Array.from({ length: 8 }, (_, index) => connection.read(index * 512, 512));
  await idle();
  if (peer === undefined) throw new Error('the server was not reached');
  const first = await readRequests(peer, 3);
  expect(first.map(({ offset }) => offset)).toEqual([0n, 512n, 1024n]);
  await idle();
  expect(peer.unread).toHaveLength(0);

  const answer = ({ cookie, offset }: ArrivedRequest) =>
    offsetData({ extended: false, cookie, offset }, offset, pattern(512, Number(offset / 512n)), 1);
  // The second is answered first: the place that it leaves is taken.
  const [one, two, three] = first;
  if (!one || !two || !three) throw new Error('three were read');
  peer.write(answer(two));
  const fourth = await peer.readRequest();
  expect(fourth.offset).toBe(1536n);
  peer.write(answer(one), answer(three), answer(fourth));
  const last = await readRequests(peer, 3);
  peer.write(...last.map(answer));
  peer.write(answer(await peer.readRequest()));
  expect((await Promise.all(reads)).map((data) => data[0])).toEqual(
    Array.from({ length: 8 }, (_, index) => pattern(512, index)[0]),
  );
});

test('writes wait while the stream is full, and go on when it drains', async () => {
  const [ours, theirs] = duplexPair({ highWaterMark: 16 * 1024 });
  const peer = new Peer(theirs);
  const handshake = serveHandshake(peer, served('simple'));
  const connection = await connectOver(ours, 'disk', { inFlightMax: 64 });
  await handshake;
  theirs.pause();
  const data = pattern(64 * 1024);
  const writes = Array.from({ length: 32 }, (_, index) => connection.write(index * 4096, data));
  await idle();
  // One that fills the stream, and no other piled on top of it.
  expect(ours.writableLength).toBeLessThan(2 * data.length);
  theirs.resume();
  for (let count = 0; count < 32; count += 1) {
    const request = await peer.readRequest();
    expect(request.payload.equals(data)).toBe(true);
    peer.write(simpleReply(request.cookie));
  }
  await Promise.all(writes);
});

test('data to write is lent until the promise settles, even if the server answers before it has read it', async () => {
  const [ours, theirs] = duplexPair({ highWaterMark: 1024 });
  const peer = new Peer(theirs);
  const handshake = serveHandshake(peer, served('simple'));
  const connection = await connectOver(ours, 'disk');
  await handshake;
  theirs.pause();
  const data = Buffer.alloc(256 * 1024, 1);
  let isSettled = false;
  const write = connection
    .write(0, data)
    .catch((error: unknown) => error)
    .finally(() => {
      isSettled = true;
      data.fill(2);
    });
  // The first request of a connection has the cookie 1.
  peer.write(simpleReply(1n, 5));
  await idle();
  expect(isSettled).toBe(false);
  theirs.resume();
  expect((await peer.readRequest()).payload.every((byte) => byte === 1)).toBe(true);
  expect(await write).toMatchObject({ errorName: 'EIO' });
});

const ENDS: Readonly<Record<string, (peer: Peer) => void>> = {
  closed: ({ stream }) => {
    stream.end();
  },
  reset: ({ stream }) => {
    if (stream instanceof Socket) stream.resetAndDestroy();
  },
};
for (const [how, end] of Object.entries(ENDS)) {
  test(`a connection that is ${how} fails every request by name, those not sent too`, async () => {
    const connection = await connectToScript(
      served('structured'),
      async (peer) => {
        await readRequests(peer, 2);
        end(peer);
      },
      { inFlightMax: 2 },
    );
    const requests = [connection.read(0, 512), connection.flush(), connection.write(0, Buffer.alloc(512))];
    for (const outcome of await Promise.allSettled(requests)) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: {
          code: 'NBD_CONNECTION_LOST',
          message: expect.stringMatching(
            /^the connection to the NBD server was lost with 3 requests unanswered/,
          ) as string,
        },
      });
    }
    expect(await connection.closed).toMatchObject({ code: 'NBD_CONNECTION_LOST' });
    await expect(connection.flush()).rejects.toMatchObject({ code: 'NBD_CONNECTION_LOST' });
    await connection.disconnect();
  });
}

test('a broken rule ends the connection, and every request in flight with its name', async () => {
  const connection = await connectToScript(served('structured'), async (peer) => {
    const [first] = await readRequests(peer, 3);
    if (first === undefined) throw new Error('three were read');
    peer.write(chunk({ extended: false, cookie: first.cookie, offset: first.offset }, 77, 1));
    await peer.closed();
  });
  const outcomes = await Promise.allSettled([
    connection.read(0, 512),
    connection.flush(),
    connection.cache(0, 512),
  ]);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'NBD_PROTOCOL_VIOLATION', violation: 'unknown-chunk' },
    });
  }
  expect(await connection.closed).toMatchObject({ violation: 'unknown-chunk' });
});

test('A6 T19 a reply chunk of more than 64 MiB ends the connection by name, before its payload', async () => {
  const connection = await connectToScript(served('extended'), async (peer) => {
    const { cookie, offset } = await peer.readRequest();
    const header = chunk({ extended: true, cookie, offset }, 1, 1);
    header.writeBigUInt64BE(64n * 1024n * 1024n + 1n, 24);
    peer.write(header);
    await peer.closed();
  });
  await expect(connection.read(0, 512)).rejects.toMatchObject({ violation: 'chunk-too-large' });
});

test('bytes that arrive with the end of the handshake belong to transmission', async () => {
  const [ours, theirs] = duplexPair();
  const peer = new Peer(theirs);
  const chunks: Buffer[] = [];
  const write = peer.stream.write.bind(peer.stream);
  // The answer to GO and a stray reply in one piece.
  peer.write = (...parts) => {
    chunks.push(...parts.map((part) => Buffer.from(part)));
    const all = Buffer.concat(chunks.splice(0));
    write(all.includes('\0\0\0\u0007') ? Buffer.concat([all, simpleReply(99n)]) : all);
  };
  const handshake = serveHandshake(peer, served('simple'));
  const connection = await connectOver(ours, 'disk');
  await handshake;
  expect(await connection.closed).toMatchObject({ violation: 'unknown-cookie' });
});

test('T15 disconnect finishes what was asked, says DISC, and takes nothing more', async () => {
  const seen: number[] = [];
  const connection = await connectToMemory(
    {
      ...served('structured'),
      image: Buffer.alloc(SIZE),
      onRequest: async ({ type }) => {
        seen.push(type);
        await idle();
      },
    },
    { inFlightMax: 1 },
  );
  const requests = [connection.read(0, 512), connection.write(0, Buffer.alloc(512)), connection.flush()];
  const gone = connection.disconnect();
  await expect(connection.read(0, 512)).rejects.toMatchObject({ code: 'NBD_CONNECTION_CLOSED' });
  await Promise.all(requests);
  await gone;
  expect(seen).toEqual([0, 1, 3, 2]);
  expect(await connection.closed).toBe(undefined);
  await connection.disconnect();
  await expect(connection.flush()).rejects.toMatchObject({ code: 'NBD_CONNECTION_CLOSED' });
});

test('destroy closes at once, and fails what is under way by name', async () => {
  const connection = await connectToScript(served('simple'), (peer) => peer.closed());
  const read = connection.read(0, 512);
  connection.destroy();
  await expect(read).rejects.toMatchObject({ code: 'NBD_CONNECTION_CLOSED' });
  expect(await connection.closed).toBe(undefined);
});

test('T16 ESHUTDOWN: what was sent is awaited, what was not is refused, and the client says DISC', async () => {
  const types: number[] = [];
  const connection = await connectToScript(
    served('structured'),
    async (peer) => {
      const [first, second] = await readRequests(peer, 2);
      if (!first || !second) throw new Error('two were read');
      peer.write(
        errorChunk({ extended: false, cookie: first.cookie, offset: first.offset }, 108, 'stopping'),
      );
      await idle();
      peer.write(none({ extended: false, cookie: second.cookie, offset: second.offset }));
      types.push((await peer.readRequest()).type);
      peer.stream.end();
    },
    { inFlightMax: 2 },
  );
  const [first, second, third] = [connection.read(0, 512), connection.flush(), connection.flush()];
  await expect(first).rejects.toMatchObject({ errorName: 'ESHUTDOWN', serverMessage: 'stopping' });
  await expect(third).rejects.toMatchObject({ code: 'NBD_CONNECTION_CLOSED' });
  await second;
  expect(await connection.closed).toBe(undefined);
  expect(types).toEqual([2]);
});
