import { readFileSync } from 'node:fs';
import path from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { expect } from 'vitest';
import { askOption, greet, readOptionReplies } from '../protocol/conversation.js';
import { RawClient } from '../protocol/raw-client.js';
import { Opt, Rep } from '../protocol/spec-numbers.js';
import { option } from '../protocol/wire.js';
import type { Holdfast } from '../support/holdfast.js';
import type { Transport } from '../support/ready-line.js';
import { clientFolder, readKey, type TlsCredentials } from './credentials.js';

/** Cipher suites that go with keys, for TLS 1.3 and for TLS 1.2. */
const PSK_CIPHERS = 'TLS_AES_128_GCM_SHA256:ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES128-GCM-SHA256';

/** Who a client is, and whom it trusts. */
export type Identity = ConnectionOptions;

export function byCertificate(credentials: TlsCredentials, name: string): Identity {
  return inFolder(clientFolder(credentials, name));
}

/** @param folder with `ca-cert.pem`, `client-cert.pem` and `client-key.pem` */
export function inFolder(folder: string): Identity {
  const read = (file: string) => readFileSync(path.join(folder, file));
  return { ca: read('ca-cert.pem'), cert: read('client-cert.pem'), key: read('client-key.pem') };
}

/** A client that trusts the server and shows no certificate. */
export function withoutCertificate({ server }: TlsCredentials): Identity {
  return { ca: readFileSync(path.join(server, 'ca-cert.pem')) };
}

export function byKey(
  credentials: TlsCredentials,
  key = readKey(credentials),
  user = credentials.pskUser,
): Identity {
  return {
    ciphers: PSK_CIPHERS,
    pskCallback: () => ({ psk: key, identity: user }),
    // Of who has the key there is no certificate to check.
    checkServerIdentity: () => undefined,
  };
}

/** Runs the client's side of TLS on a connection whose server waits for it. @throws when it is not established */
export function beginTls(plain: RawClient, identity: Identity): Promise<RawClient> {
  const socket = connect({ socket: plain.socket, ...identity });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('the server closed the connection'));
    });
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      resolve(new RawClient(socket, plain.transport, plain));
    });
  });
}

/** From the greeting into TLS. */
export async function enterTls(plain: RawClient, identity: Identity): Promise<RawClient> {
  await greet(plain);
  return await startTls(plain, identity);
}

/** STARTTLS, and then TLS. */
export async function startTls(plain: RawClient, identity: Identity): Promise<RawClient> {
  expect(await askOption(plain, option(Opt.STARTTLS))).toMatchObject({ option: Opt.STARTTLS, type: Rep.ACK });
  return await beginTls(plain, identity);
}

/** Connects, and is inside TLS, before any other option. */
export async function connectTls(
  holdfast: Holdfast,
  identity: Identity,
  transport?: Transport,
): Promise<RawClient> {
  return await enterTls(await RawClient.connect(holdfast, transport), identity);
}

/** Whether the server takes this client into TLS: with TLS 1.3 a client learns only afterwards that it is refused. */
export async function isAccepted(holdfast: Holdfast, identity: Identity): Promise<boolean> {
  const plain = await RawClient.connect(holdfast);
  await greet(plain);
  expect((await askOption(plain, option(Opt.STARTTLS))).type).toBe(Rep.ACK);
  const client = await beginTls(plain, identity).catch(() => undefined);
  if (client === undefined) return false;
  client.send(option(Opt.LIST));
  return await readOptionReplies(client).then(
    () => true,
    (error: unknown) => {
      if (client.ended) return false;
      throw error;
    },
  );
}
