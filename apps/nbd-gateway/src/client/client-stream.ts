import type { Socket } from 'node:net';
import { detachSocket, type DetachedSocket } from './client-socket.js';

/** The bytes of one client, in plain text or through TLS. */
export interface ClientStream {
  /** The next bytes; undefined once the client has ended its side. @throws when the connection broke */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves once the bytes are on their way. @throws when the connection is closed */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * A connected descriptor that another process can serve in place of this stream, with what was read ahead. The
   * stream is of no more use then.
   *
   * @throws HoldfastError HANDOFF_FAILED when the connection is closed already
   */
  detach(): Promise<DetachedSocket>;
  /** Sends what was written, then closes. */
  end(): Promise<void>;
}

/** The stream of a socket as it is. */
export class PlainStream implements ClientStream {
  readonly #chunks: NodeJS.AsyncIterator<Buffer>;

  constructor(private readonly socket: Socket) {
    this.#chunks = socket.iterator({ destroyOnReturn: false }) as NodeJS.AsyncIterator<Buffer>;
  }

  async read(): Promise<Uint8Array | undefined> {
    const chunk = await this.#chunks.next();
    return chunk.done === true ? undefined : chunk.value;
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(bytes, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
  }

  async detach(): Promise<DetachedSocket> {
    return detachSocket(await this.release());
  }

  async end(): Promise<void> {
    const { socket } = this;
    // Of one that is destroyed already, Node never says that it has ended.
    if (!socket.destroyed) {
      await new Promise<void>((resolve) => {
        for (const event of ['finish', 'close']) socket.once(event, resolve);
        socket.end();
      });
    }
    socket.destroy();
  }

  /** Gives the socket back to be used otherwise. What was read of it and not taken is still in it. */
  async release(): Promise<Socket> {
    await this.#chunks.return?.();
    return this.socket;
  }
}
