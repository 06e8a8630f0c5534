import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { expect, onTestFinished, test, type TestContext } from 'vitest';
import { connect, negotiate } from '../../connect.js';
import { expectBytes } from '../../testing/expect-bytes.js';
import { serveHandshake } from '../../testing/handshake-script.js';
import { Peer } from '../../testing/peer.js';
import { makeCertificates } from '../../testing/pki.js';
import { freePort, needs, startServer } from '../../testing/real-server.js';
import { scriptedServer, temporaryFolder } from '../../testing/scripted-server.js';
import { greeting, optionReply } from '../../testing/wire.js';

const SIZE = 1 << 20;
const ACK = 1;
/** Making keys and starting servers on a busy machine. */
const SLOW_MS = 60_000;
const KEY = 'ab'.repeat(32);

interface Place {
  readonly folder: string;
  readonly image: string;
  readonly port: number;
}

async function place(): Promise<Place> {
  const folder = temporaryFolder();
  const image = path.join(folder, 'disk.img');
  writeFileSync(image, Buffer.alloc(SIZE, 7));
  mkdirSync(path.join(folder, 'psk'));
  writeFileSync(path.join(folder, 'psk/keys.psk'), `# users\nbob:00\nalice:${KEY}\n`);
  return { folder, image, port: await freePort() };
}

/** Reads, to see that it works. */
async function use(uri: string): Promise<void> {
  const connection = await connect(uri, { poisonReceived: true });
  expect(connection.isSecure).toBe(true);
  expectBytes(await connection.read(500_000, 100_000), Buffer.alloc(100_000, 7));
  await connection.write(0, Buffer.alloc(100_000, 8));
  expectBytes(await connection.read(0, 100_000), Buffer.alloc(100_000, 8));
  await connection.disconnect();
}

const x509Servers: Readonly<Record<string, (where: Place) => readonly [string, ...string[]]>> = {
  nbdkit: ({ folder, image, port }) => [
    'nbdkit',
    '-f',
    '-p',
    String(port),
    '--tls=require',
    `--tls-certificates=${folder}/pki`,
    '--tls-verify-peer',
    'file',
    image,
  ],
  'qemu-nbd': ({ folder, image, port }) => [
    'qemu-nbd',
    '-t',
    '-f',
    'raw',
    '-x',
    'disk',
    '-p',
    String(port),
    '--tls-creds',
    't',
    '--object',
    `tls-creds-x509,id=t,endpoint=server,dir=${folder}/pki,verify-peer=yes`,
    image,
  ],
};
for (const [name, command] of Object.entries(x509Servers)) {
  test(
    `${name}: certificates on both sides, checked on both sides`,
    async (context) => {
      needs(context, name, 'openssl');
      const where = await place();
      makeCertificates(path.join(where.folder, 'pki'));
      await startServer(command(where), where);
      const uri = (host: string, more = '') =>
        `nbds://${host}:${String(where.port)}/disk?tls-certificates=${where.folder}/pki${more}`;
      await use(uri('localhost'));
      await use(uri('127.0.0.1'));
      // Checked against the name that the URI gives.
      await expect(connect(uri('localhost', '&tls-hostname=another.example'))).rejects.toMatchObject({
        code: 'NBD_TLS_FAILED',
        message: expect.stringContaining('another.example') as string,
      });
      await use(uri('127.0.0.1', '&tls-hostname=another.example&tls-verify-peer=0'));
      // An authority that did not sign it.
      makeCertificates(path.join(where.folder, 'others'));
      const stranger = `nbds://localhost:${String(where.port)}/disk?tls-certificates=${where.folder}/others`;
      await expect(connect(stranger)).rejects.toMatchObject({ code: 'NBD_TLS_FAILED' });
      // The authorities of the system do not know it.
      await expect(connect(`nbds://localhost:${String(where.port)}/disk`)).rejects.toMatchObject({
        code: 'NBD_TLS_FAILED',
      });
      // Without a certificate of ours the server ends it, at whichever step its TLS version does.
      cpSync(path.join(where.folder, 'pki/ca-cert.pem'), path.join(where.folder, 'bare/ca-cert.pem'));
      const bare = `nbds://localhost:${String(where.port)}/disk?tls-certificates=${where.folder}/bare`;
      await expect(connect(bare)).rejects.toMatchObject({
        code: expect.stringMatching(/^NBD_(TLS_FAILED|CONNECTION_LOST)$/) as string,
      });
      // N8: in the clear it refuses everything.
      await expect(connect(`nbd://localhost:${String(where.port)}/disk`)).rejects.toMatchObject({
        replyName: 'ERR_TLS_REQD',
      });
    },
    SLOW_MS,
  );
}

const pskServers: Readonly<Record<string, (where: Place) => readonly [string, ...string[]]>> = {
  nbdkit: ({ folder, image, port }) => [
    'nbdkit',
    '-f',
    '-p',
    String(port),
    '--tls=require',
    `--tls-psk=${folder}/psk/keys.psk`,
    'file',
    image,
  ],
  'qemu-nbd': ({ folder, image, port }) => [
    'qemu-nbd',
    '-t',
    '-f',
    'raw',
    '-x',
    'disk',
    '-p',
    String(port),
    '--tls-creds',
    't',
    '--object',
    `tls-creds-psk,id=t,endpoint=server,dir=${folder}/psk`,
    image,
  ],
};
for (const [name, command] of Object.entries(pskServers)) {
  test(
    `${name}: a pre-shared key, by the user of the URI`,
    async (context) => {
      needs(context, name);
      const where = await place();
      await startServer(command(where), where);
      const at = `localhost:${String(where.port)}/disk?tls-psk-file=${where.folder}/psk/keys.psk`;
      await use(`nbds://alice@${at}`);
      await use(`nbds://${at}&tls-username=alice`);
      writeFileSync(path.join(where.folder, 'wrong.psk'), `alice:${'cd'.repeat(32)}\n`);
      const wrong = `nbds://alice@localhost:${String(where.port)}/disk?tls-psk-file=${where.folder}/wrong.psk`;
      await expect(connect(wrong)).rejects.toMatchObject({ code: 'NBD_TLS_FAILED' });
    },
    SLOW_MS,
  );
}

test('files that are missing or wrong are named, before anything is connected to', async (context: TestContext) => {
  needs(context, 'openssl');
  const { folder } = await place();
  const pki = path.join(folder, 'pki');
  makeCertificates(pki);
  const failure = (query: string, scheme = 'nbds://127.0.0.1:1/?') =>
    expect(negotiate(`${scheme}${query}`)).rejects;
  const tlsFailed = (words: string) => ({
    code: 'NBD_TLS_FAILED',
    message: `TLS with the NBD server failed: ${words}`,
  });
  await failure('tls-certificates=/nowhere').toMatchObject(tlsFailed('there is no /nowhere/ca-cert.pem'));
  rmSync(path.join(pki, 'client-key.pem'));
  await failure(`tls-certificates=${pki}`).toMatchObject(
    tlsFailed(`there is ${pki}/client-cert.pem, but no client-key.pem`),
  );
  const keys = `${folder}/psk/keys.psk`;
  await failure(`tls-psk-file=${keys}&tls-username=carol`).toMatchObject(
    tlsFailed(`${keys} has no key for "carol": give tls-username=NAME of one that it has`),
  );
  writeFileSync(keys, 'dave:xyz\n');
  await failure(`tls-psk-file=${keys}&tls-username=dave`).toMatchObject(
    tlsFailed(`the key of "dave" in ${keys} is not hexadecimal`),
  );
  writeFileSync(keys, Buffer.alloc(1024 * 1024 + 1));
  await failure(`tls-psk-file=${keys}`).toMatchObject(
    tlsFailed(`${keys} is too large for a certificate or a key`),
  );
  await failure('tls-psk-file=/').toMatchObject({ code: 'NBD_TLS_FAILED' });
  await failure('socket=/nowhere', 'nbds+unix:///?').toThrow(
    'a Unix socket has no host whose name the certificate could have: give tls-hostname=NAME',
  );
});

test('`nbds` insists on TLS: a server that has none is left', async () => {
  const options: number[] = [];
  const server = await scriptedServer(async (peer) => {
    peer.write(greeting());
    await peer.read(4);
    options.push((await peer.readOption()).option);
    peer.write(optionReply(5, 0x8000_0002, 'no TLS here'));
    options.push((await peer.readOption()).option);
    peer.write(optionReply(2, ACK));
  });
  await expect(connect(secured(server.uri))).rejects.toMatchObject({
    code: 'NBD_TLS_FAILED',
    message: 'TLS with the NBD server failed: the server does not do TLS (NBD_REP_ERR_POLICY)',
  });
  expect(options).toEqual([5, 2]);
});

test('N7 plaintext behind the agreement to TLS ends the connection: none of it is read as if it came through TLS', async () => {
  const server = await scriptedServer(async (peer) => {
    peer.write(greeting());
    await peer.read(4);
    await peer.readOption();
    peer.write(optionReply(5, ACK), optionReply(11, ACK), optionReply(7, ACK));
    await peer.closed();
  });
  await expect(connect(secured(server.uri))).rejects.toMatchObject({ violation: 'plaintext-after-starttls' });
});

test('N7 plaintext that comes a moment later fails the handshake of TLS', async () => {
  const server = await scriptedServer(async (peer) => {
    peer.write(greeting());
    await peer.read(4);
    await peer.readOption();
    peer.write(optionReply(5, ACK));
    await peer.read(1);
    peer.write(optionReply(11, ACK));
    await peer.closed();
  });
  await expect(connect(secured(server.uri))).rejects.toMatchObject({ code: 'NBD_TLS_FAILED' });
});

test('N7 nothing that was negotiated before TLS holds after it', async (context: TestContext) => {
  needs(context, 'openssl');
  const { folder } = await place();
  makeCertificates(folder);
  const seen: number[] = [];
  const server = await tlsServer(folder, async (peer, upgrade) => {
    peer.write(greeting());
    await peer.read(4);
    for (const answer of [optionReply(8, ACK), optionReply(10, ACK), optionReply(5, ACK)]) {
      seen.push((await peer.readOption()).option);
      peer.write(answer);
    }
    const through = upgrade();
    seen.push((await through.readOption()).option);
    through.write(optionReply(11, 0x8000_0001));
    seen.push((await through.readOption()).option);
    through.write(optionReply(8, 0x8000_0001));
    await through.closed();
  });
  const { loadTlsSetup } = await import('./tls-setup.js');
  const parameters = {
    credentials: { kind: 'x509', folder, verifyPeer: true },
    hostname: 'localhost',
  } as const;
  const { NbdNegotiation } = await import('../../handshake/negotiation.js');
  const { openSocket } = await import('../open-socket.js');
  const negotiation = await NbdNegotiation.begin(await openSocket({ kind: 'unix', path: server }, 5000), {
    extendedHeaders: false,
  });
  expect(await negotiation.negotiateReplies()).toBe('structured');
  await negotiation.setMetaContexts('disk', []);
  await negotiation.startTls(await loadTlsSetup(parameters, undefined));
  expect([negotiation.replyMode, negotiation.isSecure]).toEqual(['simple', true]);
  expect(seen).toEqual([8, 10, 5]);
});

test('a server that shows a certificate instead of having the pre-shared key is refused', async (context: TestContext) => {
  needs(context, 'openssl');
  const { folder } = await place();
  makeCertificates(folder);
  const server = await tlsServer(folder, async (peer, upgrade) => {
    peer.write(greeting());
    await peer.read(4);
    await peer.readOption();
    peer.write(optionReply(5, ACK));
    await serveHandshake(upgrade(), { mode: 'simple', sizeBytes: 1 });
  });
  const keys = path.join(folder, 'psk/keys.psk');
  const uri = `nbds+unix://alice@/disk?socket=${server}&tls-psk-file=${keys}`;
  await expect(connect(uri)).rejects.toMatchObject({ code: 'NBD_TLS_FAILED' });
});

test('T19 a handshake of TLS that does not end is given up', async () => {
  const server = await scriptedServer(async (peer) => {
    peer.write(greeting());
    await peer.read(4);
    await peer.readOption();
    peer.write(optionReply(5, ACK));
    await peer.closed();
  });
  await expect(connect(secured(server.uri), { answerMs: 200 })).rejects.toMatchObject({
    code: 'NBD_TLS_FAILED',
    message: 'TLS with the NBD server failed: the handshake did not end within 0.2 s',
  });
});

function secured(uri: string): string {
  return `${uri.replace('nbd+unix', 'nbds+unix')}&tls-hostname=localhost`;
}

/** A server on a Unix socket that can go on through TLS. @returns the path of the socket */
async function tlsServer(
  folder: string,
  script: (peer: Peer, upgrade: () => Peer) => Promise<void>,
): Promise<string> {
  const { readFileSync } = await import('node:fs');
  const secureContext = createSecureContext({
    ca: readFileSync(path.join(folder, 'ca-cert.pem')),
    cert: readFileSync(path.join(folder, 'server-cert.pem')),
    key: readFileSync(path.join(folder, 'server-key.pem')),
  });
  const socketPath = path.join(folder, 'tls.sock');
  const server = createServer((socket) => {
    const peer = new Peer(socket);
    const upgrade = () => {
      socket.removeAllListeners('data');
      return new Peer(new TLSSocket(socket, { isServer: true, secureContext }));
    };
    script(peer, upgrade).catch(() => socket.destroy());
    onTestFinished(() => {
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  onTestFinished(() => {
    server.close();
  });
  return socketPath;
}
