import { onTestFinished } from 'vitest';
import { connect, type ConnectOptions } from '../connect.js';
import type { NbdConnection } from '../nbd-connection.js';
import { serveHandshake, type ServedExport } from './handshake-script.js';
import { serveMemory, type MemoryExport } from './memory-export.js';
import type { Peer } from './peer.js';
import { scriptedServer } from './scripted-server.js';

/** A connection to a server that keeps a buffer, over a real socket; the server is gone after the test. */
export async function connectToMemory(
  served: MemoryExport,
  options: ConnectOptions = {},
): Promise<NbdConnection> {
  const server = await scriptedServer((peer) => serveMemory(peer, served));
  return opened(server.uri, options);
}

/** A connection whose server does what the script says, after a good handshake. */
export async function connectToScript(
  served: ServedExport,
  script: (peer: Peer) => Promise<void>,
  options: ConnectOptions = {},
): Promise<NbdConnection> {
  const server = await scriptedServer(async (peer) => {
    await serveHandshake(peer, served);
    await script(peer);
  });
  return opened(server.uri, options);
}

async function opened(uri: string, options: ConnectOptions): Promise<NbdConnection> {
  const connection = await connect(uri, options);
  onTestFinished(() => {
    connection.destroy();
  });
  return connection;
}
