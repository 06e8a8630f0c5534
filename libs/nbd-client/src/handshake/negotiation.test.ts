import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { connect, connectOver, negotiate, negotiateOver } from '../connect.js';
import { openSocket } from '../socket/open-socket.js';
import { serveHandshake, type ServedExport } from '../testing/handshake-script.js';
import { Peer } from '../testing/peer.js';
import { scriptedServer } from '../testing/scripted-server.js';
import { fields, greeting, infoExport, optionReply } from '../testing/wire.js';
import { NbdNegotiation } from './negotiation.js';

const ACK = 1;
const UNSUP = 0x8000_0001;
const POLICY = 0x8000_0002;
const TLS_REQD = 0x8000_0005;
const UNKNOWN = 0x8000_0006;

/** Greets, then answers options one by one with what the script says; then waits for the client to leave. */
function answering(...answers: readonly Uint8Array[]) {
  const options: number[] = [];
  const script = async (peer: Peer) => {
    peer.write(greeting());
    await peer.read(4);
    for (const answer of answers) {
      options.push((await peer.readOption()).option);
      peer.write(answer);
    }
    options.push((await peer.readOption()).option);
    peer.write(optionReply(2, ACK));
  };
  return { options, script };
}

const served = (mode: ServedExport['mode']): ServedExport => ({
  mode,
  sizeBytes: 1 << 20,
  contexts: { 'base:allocation': 9 },
});

test.each([
  ['extended', {}, [11, 10, 7], 'extended'],
  ['structured', {}, [11, 8, 10, 7], 'structured'],
  ['simple', {}, [11, 8, 7], 'simple'],
  ['structured', { extendedHeaders: false }, [8, 10, 7], 'structured'],
  ['structured', { structuredReplies: false }, [11, 7], 'simple'],
  ['structured', { extendedHeaders: false, structuredReplies: false }, [7], 'simple'],
] as const)(
  'N11 a server with %s replies is asked, with %j, for options %j, which gives %s replies',
  async (mode, options, expected, replyMode) => {
    const seen: number[] = [];
    const server = await scriptedServer(async (peer) => {
      const arrived = await serveHandshake(peer, served(mode));
      seen.push(...arrived.map(({ option }) => option));
      await peer.closed();
    });
    const connection = await connect(server.uri, { metaContexts: ['base:allocation'], ...options });
    expect(seen).toEqual(expected);
    expect(connection.replyMode).toBe(replyMode);
    expect(connection.metaContexts).toEqual(
      replyMode === 'simple' ? [] : [{ id: 9, name: 'base:allocation' }],
    );
    connection.destroy();
  },
);

test('a server is asked about its exports before one is chosen', async () => {
  const server = await scriptedServer((peer) =>
    serveHandshake(peer, served('structured')).then(() => peer.closed()),
  );
  const negotiation = await negotiate(server.uri);
  expect(await negotiation.list()).toEqual([{ name: 'disk', description: 'a disk' }]);
  expect(await negotiation.info('disk')).toMatchObject({ name: 'disk', sizeBytes: 1n << 20n });
  expect(await negotiation.listMetaContexts('disk', ['base:allocation'])).toEqual(['base:allocation']);
  expect(await negotiation.setMetaContexts('disk', ['base:allocation'])).toHaveLength(1);
  const connection = await negotiation.go('disk');
  expect(connection.exportInfo.sizeBytes).toBe(1n << 20n);
  await negotiation.abort();
  expect(connection.metaContexts).toHaveLength(1);
  connection.destroy();
});

test('N9 contexts hold for the export that they were selected for, and for no other', async () => {
  const server = await scriptedServer((peer) =>
    serveHandshake(peer, served('structured')).then(() => peer.closed()),
  );
  const negotiation = await negotiate(server.uri);
  await negotiation.setMetaContexts('disk', ['base:allocation']);
  const connection = await negotiation.go('another');
  expect(connection.metaContexts).toEqual([]);
  connection.destroy();
});

test('N9 a selection that fails leaves none', async () => {
  const first = Buffer.concat([optionReply(10, 4, fields([32, 1], 'a:b')), optionReply(10, ACK)]);
  const go = Buffer.concat([optionReply(7, 3, infoExport(1, 1)), optionReply(7, ACK)]);
  const { script } = answering(optionReply(8, ACK), first, optionReply(10, POLICY), go);
  const server = await scriptedServer(script);
  const negotiation = await negotiate(server.uri, { extendedHeaders: false });
  expect(await negotiation.setMetaContexts('disk', ['a:b'])).toHaveLength(1);
  await expect(negotiation.setMetaContexts('disk', ['a:b'])).rejects.toMatchObject({
    replyName: 'ERR_POLICY',
  });
  const connection = await negotiation.go('disk');
  expect(connection.metaContexts).toEqual([]);
  connection.destroy();
});

test('N9 contexts are not asked for without chunks to answer them in, unless the client is not strict', async () => {
  const refused = [optionReply(11, UNSUP), optionReply(8, UNSUP)];
  const server = await scriptedServer(answering(...refused).script);
  const negotiation = await negotiate(server.uri);
  await expect(negotiation.setMetaContexts('disk', ['a:b'])).rejects.toMatchObject({
    fault: 'not-negotiated',
  });
  await negotiation.abort();
  const lax = await scriptedServer(answering(...refused, optionReply(10, 0x8000_0003)).script);
  const asking = await negotiate(lax.uri, { strict: false });
  await expect(asking.setMetaContexts('disk', ['a:b'])).rejects.toMatchObject({ replyName: 'ERR_INVALID' });
  await asking.abort();
});

test('names that no server could take are not sent', async () => {
  const server = await scriptedServer((peer) =>
    serveHandshake(peer, served('structured')).then(() => undefined),
  );
  const negotiation = await negotiate(server.uri);
  const badName = { code: 'NBD_REQUEST_INVALID', fault: 'bad-name' };
  await expect(negotiation.info('a\0b')).rejects.toMatchObject(badName);
  await expect(negotiation.go('x'.repeat(4097))).rejects.toMatchObject(badName);
  await expect(negotiation.setMetaContexts('\ud800', [])).rejects.toMatchObject(badName);
  await expect(negotiation.setMetaContexts('d', ['base'])).rejects.toMatchObject(badName);
  await expect(negotiation.setMetaContexts('d', [':x'])).rejects.toMatchObject(badName);
  const many = Array.from({ length: 65 }, () => 'a:b');
  await expect(negotiation.listMetaContexts('d', many)).rejects.toMatchObject({ fault: 'too-long' });
  await negotiation.abort();
});

test('N3 EXPORT_NAME is the way in where GO is not known, and its refusal is the end of the connection', async () => {
  const server = await scriptedServer(async (peer) => {
    peer.write(greeting(1));
    await peer.read(4);
    for (;;) {
      const { option, data } = await peer.readOption();
      if (option === 1 && data.toString() === 'disk') {
        peer.write(fields([64, 4096], [16, 5]), Buffer.alloc(124));
        await peer.closed();
      }
      if (option === 1) {
        peer.stream.end();
        return;
      }
      peer.write(optionReply(option, UNSUP));
    }
  });
  const connection = await connect(server.uri);
  expect(connection.exportInfo).toEqual({
    name: 'disk',
    canonicalName: undefined,
    description: undefined,
    sizeBytes: 4096n,
    transmissionFlags: 5,
    blockSize: undefined,
  });
  expect(connection.blockSize).toEqual({ minimum: 1, preferred: 4096, payloadMaximum: 1 << 25 });
  connection.destroy();
  const negotiation = await negotiate(server.uri);
  await expect(negotiation.go('other')).rejects.toMatchObject({ code: 'NBD_CONNECTION_LOST' });
});

test('N11 after extended headers there is no EXPORT_NAME: a server that does not know GO breaks the protocol', async () => {
  const { options, script } = answering(optionReply(11, ACK), optionReply(7, UNSUP));
  const server = await scriptedServer(script);
  await expect(connect(server.uri)).rejects.toMatchObject({ violation: 'go-unsupported' });
  expect(options).toEqual([11, 7]);
});

test('a refusal of the export is told, and the client leaves by ABORT', async () => {
  const { options, script } = answering(optionReply(11, ACK), optionReply(7, UNKNOWN, 'no such disk'));
  const server = await scriptedServer(script);
  await expect(connect(server.uri)).rejects.toMatchObject({
    code: 'NBD_OPTION_REFUSED',
    replyName: 'ERR_UNKNOWN',
    serverMessage: 'no such disk',
  });
  expect(options).toEqual([11, 7, 2]);
});

test('N8 a server that insists on TLS says so at the first option, and nothing more is tried', async () => {
  const { options, script } = answering(optionReply(11, TLS_REQD));
  const server = await scriptedServer(script);
  await expect(connect(server.uri)).rejects.toThrow('it insists on TLS: connect by nbds://');
  expect(options).toEqual([11, 2]);
});

test('a server that knows no contexts at all has none of those wanted', async () => {
  const go = Buffer.concat([optionReply(7, 3, infoExport(1, 1)), optionReply(7, ACK)]);
  const server = await scriptedServer(answering(optionReply(11, ACK), optionReply(10, UNSUP), go).script);
  const connection = await connect(server.uri, { metaContexts: ['base:allocation'] });
  expect(connection.metaContexts).toEqual([]);
  connection.destroy();
});

test('N6 ABORT does not fail when the server is gone, says nothing, or closes', async () => {
  for (const end of [(peer: Peer) => peer.stream.destroy(), (peer: Peer) => peer.stream.end()]) {
    const server = await scriptedServer(async (peer) => {
      peer.write(greeting());
      await peer.read(4);
      await peer.readOption();
      end(peer);
    });
    const stream = await openSocket({ kind: 'unix', path: server.socketPath }, 5000);
    const negotiation = await NbdNegotiation.begin(stream);
    await negotiation.abort();
    await negotiation.abort();
    await expect(negotiation.list()).rejects.toMatchObject({
      code: expect.stringMatching(/NBD_CONNECTION/) as string,
    });
  }
});

test('T19 a server that does not answer is given up, by name, and the connection is closed', async () => {
  const silent = await scriptedServer((peer) => peer.closed());
  await expect(negotiate(silent.uri, { answerMs: 100 })).rejects.toMatchObject({
    code: 'NBD_SERVER_UNREACHABLE',
    message: 'the NBD server did not send the greeting within 0.1 s',
  });
  const later = await scriptedServer(async (peer) => {
    peer.write(greeting());
    await peer.closed();
  });
  await expect(negotiate(later.uri, { answerMs: 100 })).rejects.toThrow(
    'did not send the answer to EXTENDED_HEADERS within 0.1 s',
  );
});

test('a server that goes away in the middle is named', async () => {
  const server = await scriptedServer(async (peer) => {
    peer.write(greeting());
    await peer.read(4);
    await peer.readOption();
    peer.stream.end(optionReply(11, ACK).subarray(0, 10));
  });
  await expect(negotiate(server.uri)).rejects.toMatchObject({
    code: 'NBD_CONNECTION_LOST',
    message: 'the connection to the NBD server was lost before the answer to EXTENDED_HEADERS',
  });
});

test('a broken rule ends the negotiation for good', async () => {
  const server = await scriptedServer(async (peer) => {
    peer.write(greeting());
    await peer.read(4);
    await peer.readOption();
    peer.write(optionReply(11, ACK), Buffer.from('ahead of its turn'));
    await peer.closed();
  });
  await expect(connect(server.uri)).rejects.toMatchObject({ violation: 'bytes-out-of-turn' });
});

test.each([
  [
    '/nowhere/nbd.sock',
    'nbd+unix:///?socket=/nowhere/nbd.sock',
    'no connection to the NBD server at /nowhere/nbd.sock: there is no such socket',
  ],
  [
    'a closed port',
    'nbd://127.0.0.1:1/',
    'no connection to the NBD server at 127.0.0.1:1: nothing listens there',
  ],
  ['a closed port of IPv6', 'nbd://[::1]:1/', /no connection to the NBD server at \[::1\]:1: /],
])('%s cannot be connected to, and the error says where', async (_what, uri, message) => {
  await expect(negotiate(uri)).rejects.toMatchObject({ code: 'NBD_SERVER_UNREACHABLE' });
  await expect(negotiate(uri)).rejects.toThrow(message);
});

test('any duplex stream will do', async () => {
  for (const mode of ['simple', 'structured', 'extended'] as const) {
    const [ours, theirs] = duplexPair();
    const peer = new Peer(theirs);
    const handshake = serveHandshake(peer, served(mode));
    const connection = await connectOver(ours, 'disk');
    await handshake;
    expect(connection.replyMode).toBe(mode);
    connection.destroy();
  }
  const [ours, theirs] = duplexPair();
  const peer = new Peer(theirs);
  peer.write(Buffer.from('SSH-2.0-OpenSSH_9.2'));
  await expect(negotiateOver(ours)).rejects.toMatchObject({ violation: 'not-nbd' });
});
