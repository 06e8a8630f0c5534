import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { Peer } from './peer.js';

/** An empty folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'nbd-client-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export interface ScriptedServer {
  /** Of its Unix socket. */
  readonly uri: string;
  readonly socketPath: string;
  /** Rejects with what a script threw, if the client did not simply go away. */
  readonly connections: Peer[];
}

/** A real server on a Unix socket that does with each connection what the script says. */
export async function scriptedServer(script: (peer: Peer) => Promise<void>): Promise<ScriptedServer> {
  const socketPath = path.join(temporaryFolder(), 'nbd.sock');
  const connections: Peer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const peer = new Peer(socket);
    connections.push(peer);
    // A script that outlives its client fails at its next read, which is of no interest: the client's side is tested.
    script(peer).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { uri: `nbd+unix:///disk?socket=${encodeURIComponent(socketPath)}`, socketPath, connections };
}
