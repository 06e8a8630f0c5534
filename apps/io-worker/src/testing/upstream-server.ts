import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import type { workerV1 } from '@holdfast/contracts';
import { registryV1, toDuration } from '@holdfast/contracts';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { ALL_FLAGS } from '@holdfast/nbd-client/testing/handshake-script';
import { serveMemory, type MemoryExport } from '@holdfast/nbd-client/testing/memory-export';
import { Peer, type ArrivedRequest } from '@holdfast/nbd-client/testing/peer';
import { onTestFinished } from 'vitest';

export const UPSTREAM_BYTES = 1024 * 1024;

/** What the remote device of a test is made of. */
export interface RemoteOptions {
  readonly onDisconnect?: 'replay' | 'fail';
  readonly reconnectMs?: number;
  readonly sizeBytes?: number;
}

/** Another NBD server, over a real socket: it dies and comes back when a test says so, and never forgets its data. */
export class UpstreamServer {
  /** What it serves; a change holds for the next connection. */
  served: MemoryExport;
  /** Requests of all connections, in the order in which they came. */
  readonly requests: ArrivedRequest[] = [];
  /** Told of each request before it is answered; one that never resolves keeps the answer back. */
  onRequest: (request: ArrivedRequest) => void | Promise<void> = () => undefined;
  /** Takes connections, and does not greet. */
  isSilent = false;
  /** Answers a request in its place. */
  refuse: (request: ArrivedRequest) => Buffer | undefined = () => undefined;
  readonly socketPath = path.join(temporaryFolder(), 'upstream.sock');
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(change: Partial<MemoryExport>) {
    this.served = {
      mode: 'structured',
      sizeBytes: UPSTREAM_BYTES,
      image: Buffer.alloc(UPSTREAM_BYTES, 'upstream '),
      contexts: { 'base:allocation': 7 },
      ...change,
    };
    onTestFinished(() => this.die());
  }

  static async start(change: Partial<MemoryExport> = {}): Promise<UpstreamServer> {
    const server = new UpstreamServer(change);
    await server.comeBack();
    return server;
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Types of the requests that came. */
  get types(): number[] {
    return this.requests.map(({ type }) => type);
  }

  async comeBack(): Promise<void> {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      const onRequest = (request: ArrivedRequest) => {
        this.requests.push(request);
        return this.onRequest(request);
      };
      if (this.isSilent) return;
      // One that was cut off in the middle is of no interest.
      serveMemory(new Peer(socket), {
        ...this.served,
        onRequest,
        refuse: (request) => this.refuse(request),
      }).catch(() => socket.destroy());
    });
    await new Promise<void>((resolve) => this.#server?.listen(this.socketPath, resolve));
  }

  /** Cuts its connections; it goes on. */
  cutOff(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** As the kernel ends a process. */
  async die(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cutOff();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** What the registry tells a worker of it. */
  message({ onDisconnect = 'replay', reconnectMs = 10_000 }: RemoteOptions = {}): workerV1.Remote {
    const { ON_DISCONNECT_FAIL, ON_DISCONNECT_REPLAY } = registryV1.NbdBacking_OnDisconnect;
    const { flags = ALL_FLAGS, blockSize = [1, 4096, 32 * 1024 * 1024], contexts = {} } = this.served;
    return {
      backing: {
        uri: `nbd+unix:///disk?socket=${this.socketPath}`,
        onDisconnect: onDisconnect === 'fail' ? ON_DISCONNECT_FAIL : ON_DISCONNECT_REPLAY,
        reconnectTimeout: toDuration(reconnectMs),
      },
      offer: {
        transmissionFlags: flags,
        blockSizeMinimum: blockSize[0],
        blockSizePreferred: blockSize[1],
        payloadMaximum: blockSize[2],
        baseAllocation: 'base:allocation' in contexts,
      },
    };
  }
}
