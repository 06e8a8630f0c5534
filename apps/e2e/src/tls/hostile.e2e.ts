import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { askOption, goTo, greet, readBytes } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import { timesHit } from '../protocol/limits-hit.js';
import type { RawClient } from '../protocol/raw-client.js';
import { serving } from '../protocol/serving.js';
import { Opt, Rep } from '../protocol/spec-numbers.js';
import { option, uint16 } from '../protocol/wire.js';
import { eventually } from '../support/eventually.js';
import { getGateway } from '../support/instance-facts.js';
import { transports, type Transport } from '../support/ready-line.js';
import { clientHello } from './client-hello.js';
import { makeCredentials, serveArgs } from './credentials.js';
import { beginTls, byCertificate, byKey, connectTls } from './tls-client.js';

const HANDSHAKE_MS = 1500;
/** What is refused at once, is refused long before the time for a handshake is over. */
const AT_ONCE_MS = HANDSHAKE_MS - 500;

const credentials = await makeCredentials('vm1');
const identity = byCertificate(credentials, 'vm1');
const suite = serving({
  args: serveArgs(credentials, 'required'),
  env: { HOLDFAST_HANDSHAKE_MS: String(HANDSHAKE_MS) },
});

const HANDSHAKE_RECORD = 22;
const ALERT_RECORD = 21;
const APPLICATION_RECORD = 23;

/** A TLS record (RFC 8446, section 5.1), of a length that need not be that of its content. */
function record(type: number, content: Uint8Array, length = content.length): Buffer {
  return Buffer.concat([Buffer.of(type), uint16(0x0301), uint16(length), content]);
}

/** A connection whose server was told by STARTTLS that TLS begins. */
async function announced(transport: Transport): Promise<RawClient> {
  const client = await suite.connect(transport);
  await greet(client);
  expect((await askOption(client, option(Opt.STARTTLS))).type).toBe(Rep.ACK);
  return client;
}

/** How often TLS failed. */
async function failures(): Promise<number> {
  return Number((await getGateway(suite.holdfast)).tlsHandshakesFailed);
}

/** That others are served as ever. */
async function othersAreServed(): Promise<void> {
  const client = await connectTls(suite.holdfast, identity);
  await goTo(client);
  expectBytes(await readBytes(client, 0, 4096), suite.imageBytes(0, 4096));
}

/** Writes past TLS, to the socket underneath, which Node does not lend. */
function writePast(socket: Socket, bytes: Uint8Array): void {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd: number } };
  if (handle === undefined) throw new Error('the connection is closed');
  writeSync(handle.fd, bytes);
}

/** What is no handshake of TLS. */
const garbage: Readonly<Record<string, Buffer>> = {
  'a request of HTTP': Buffer.from('GET / HTTP/1.1\r\nHost: nbd\r\n\r\n'),
  'an option of NBD': option(Opt.LIST),
  zeroes: Buffer.alloc(100),
  'random bytes': randomBytes(4096),
  'a record that says that it is longer than any': record(HANDSHAKE_RECORD, Buffer.alloc(200), 0xffff),
  'a ClientHello of 16 MB': record(HANDSHAKE_RECORD, Buffer.from('01ffffff0303', 'hex'), 16_384),
  'a record without content': record(HANDSHAKE_RECORD, Buffer.alloc(0)),
  'an alert': record(ALERT_RECORD, Buffer.of(2, 40)),
  'data before the handshake': record(APPLICATION_RECORD, Buffer.alloc(100)),
};

describe.each(transports)('over %s', (transport) => {
  it.each(Object.entries(garbage))(
    'N7 %s in place of a TLS handshake ends the connection',
    async (_what, bytes) => {
      const before = await failures();
      const client = await announced(transport);
      client.send(bytes);
      // What needs more bytes to be judged is bounded by the time for the handshake.
      await client.readToEnd(HANDSHAKE_MS + 2000);
      await eventually('the failure to be counted', async () => (await failures()) === before + 1);
      await othersAreServed();
    },
  );

  it('N10 a TLS handshake that stalls is cut off in time, wherever it stalls', async () => {
    const before = await timesHit(suite, 'handshake-time');
    const hello = await clientHello(identity);
    const lengths = [0, 1, 5, 6, 60, hello.length - 1, hello.length];
    const waits = lengths.map(async (length) => {
      const began = performance.now();
      const client = await announced(transport);
      client.send(hello.subarray(0, length));
      await client.readToEnd();
      return performance.now() - began;
    });
    for (const waitedMs of await Promise.all(waits)) expect(waitedMs).toBeGreaterThan(AT_ONCE_MS);
    expect(await timesHit(suite, 'handshake-time')).toBe(before + lengths.length);
    await othersAreServed();
  });

  it('N10 the time is for the handshake of TLS and that of NBD together', async () => {
    const before = await timesHit(suite, 'handshake-time');
    const client = await connectTls(suite.holdfast, identity, transport);
    await client.readToEnd();
    expect(await timesHit(suite, 'handshake-time')).toBe(before + 1);
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('N8 %s is refused', async (version) => {
    const before = await failures();
    const client = await announced(transport);
    const old = { ...identity, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    await expect(beginTls(client, old)).rejects.toThrow(/alert protocol version/);
    expect(await failures()).toBe(before + 1);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('N8 %s is served', async (version) => {
    const client = await connectTls(
      suite.holdfast,
      { ...identity, minVersion: version, maxVersion: version },
      transport,
    );
    await goTo(client);
    expectBytes(await readBytes(client, 0, 4096), suite.imageBytes(0, 4096));
  });

  it('keys are not agreed on anew in the middle (RFC 5746)', async () => {
    const client = await connectTls(suite.holdfast, { ...identity, maxVersion: 'TLSv1.2' }, transport);
    await goTo(client);
    (client.socket as TLSSocket).renegotiate({}, () => undefined);
    await client.readToEnd();
    expect(client.failure).toBe('ERR_SSL_NO_RENEGOTIATION');
    await othersAreServed();
  });

  it('a record that was changed on its way ends the session, and nothing of it is written', async () => {
    const client = await announced(transport);
    const secured = await beginTls(client, identity);
    await goTo(secured);
    const image = suite.imageBytes(0, 4096);
    writePast(client.socket, record(APPLICATION_RECORD, randomBytes(4096)));
    await secured.readToEnd();
    expectBytes(suite.imageBytes(0, 4096), image);
    await othersAreServed();
  });
});

it('N8 a wrong key and a user without one look alike', async () => {
  const reasons = await Promise.all(
    [byKey(credentials, randomBytes(32)), byKey(credentials, undefined, 'stranger')].map(async (other) => {
      const client = await announced('tcp');
      return await beginTls(client, other).catch(
        (error: unknown) => (error as Error & { code?: string }).code,
      );
    }),
  );
  expect(reasons[0]).toMatch(/^ERR_SSL_/);
  expect(reasons[1]).toBe(reasons[0]);
});
