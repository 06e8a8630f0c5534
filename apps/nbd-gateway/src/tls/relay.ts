import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { OwnedFd } from '@holdfast/linux';

/** Bytes of the largest TLS record (RFC 8446, section 5.1): what is longer comes in several. */
const RECORD_BYTES = 16 * 1024;

/** Replies read at once: eight TLS records of the largest size. Memory is used as far as replies have filled it. */
const REPLY_BYTES = 128 * 1024;

/** Requests kept for a worker that does not take them, before the client is no longer read. */
const REQUEST_BYTES = 256 * 1024;

/** How long a client may take to read its last replies once the worker is done with it. */
const LINGER_MS = 10_000;

/**
 * Carries the bytes of one session between the client's TLS and the worker, which has the other end of a socket pair
 * and serves it like the socket of any client. Either side waits for the other: no more is read than can be passed on.
 */
export class Relay {
  /** Resolves when neither connection is left. */
  readonly closed: Promise<void>;
  readonly #worker: Socket;
  #takesRequests = true;
  #isBatching = false;
  #workerIsDone = false;

  /**
   * @param pair this process's end of the socket pair
   * @param clientIsDisconnected whether the kernel says that nothing can be sent to the client any more
   */
  constructor(
    private readonly secure: TLSSocket,
    pair: OwnedFd,
    private readonly clientIsDisconnected: () => boolean,
  ) {
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafeSlow(REPLY_BYTES),
      callback: (length, buffer) => this.#reply(buffer.subarray(0, length)),
    };
    // The types of Node know `onread` for sockets that connect only (Node, "new net.Socket").
    const options: SocketConstructorOpts & { onread: OnReadOpts } = {
      fd: pair.release(),
      readable: true,
      writable: true,
      allowHalfOpen: true,
      onread,
    };
    this.#worker = new Socket(options);
    this.closed = Promise.all([ended(secure), ended(this.#worker)]).then(() => undefined);
    this.#carryRequests();
    this.#carryReplies();
  }

  /** The worker has ended the session, and the client has not yet taken all that it was sent. */
  get lingers(): boolean {
    return this.#workerIsDone;
  }

  /** T16: no more requests are taken. Those that the worker has are answered, and then it closes. */
  endRequests(): void {
    this.#takesRequests = false;
    this.secure.pause();
    this.#worker.end();
  }

  destroy(): void {
    this.secure.destroy();
    this.#worker.destroy();
  }

  #carryRequests(): void {
    const { secure } = this;
    secure.on('data', (chunk: Buffer) => {
      if (this.#takesRequests) this.#request(chunk);
    });
    this.#worker.on('drain', () => {
      if (this.#takesRequests) secure.resume();
    });
    // Half-closed: the client may still wait for answers to what it sent last.
    secure.once('end', () => this.#worker.end());
    secure.once('close', () => this.#worker.destroy());
  }

  #carryReplies(): void {
    for (const event of ['end', 'close']) {
      this.#worker.once(event, () => {
        this.#endClient();
      });
    }
    this.#worker.resume();
  }

  /** TLS gives one record at a time; those that belong together go to the worker by one system call. */
  #request(chunk: Buffer): void {
    if (chunk.length >= RECORD_BYTES && !this.#isBatching) {
      this.#isBatching = true;
      this.#worker.cork();
      setImmediate(() => {
        this.#isBatching = false;
        this.#worker.uncork();
      });
    }
    this.#worker.write(chunk);
    if (this.#worker.writableLength >= REQUEST_BYTES) this.secure.pause();
  }

  /**
   * @param bytes lent until this returns true, or the worker is resumed
   * @returns false when nothing must be read until these bytes are on their way to the client
   */
  #reply(bytes: Uint8Array): boolean {
    if (bytes.length < RECORD_BYTES && this.secure.writableLength < REPLY_BYTES) {
      // To copy what is short costs less than to stop reading and to begin again.
      this.secure.write(Buffer.from(bytes));
      return true;
    }
    this.secure.write(bytes, () => this.#worker.resume());
    this.#endIfDisconnected();
    return false;
  }

  /**
   * To be called after a write whose end is waited for: when it fails at once (ECONNRESET), Node's TLS loses the error
   * and never calls back, and of a socket that is not read nobody tells either.
   */
  #endIfDisconnected(): void {
    if (this.clientIsDisconnected()) this.secure.destroy();
  }

  /** The client gets what there is for it and TLS's goodbye (close_notify), then the connection is closed. */
  #endClient(): void {
    if (this.#workerIsDone) return;
    this.#workerIsDone = true;
    const { secure } = this;
    const lingering = setTimeout(() => secure.destroy(), LINGER_MS);
    secure.once('close', () => {
      clearTimeout(lingering);
    });
    secure.destroySoon();
    this.#endIfDisconnected();
    this.#worker.destroy();
  }
}

/** An error ends a socket; what the other side is told of it is the end. */
function ended(socket: Socket): Promise<void> {
  socket.on('error', () => socket.destroy());
  return new Promise((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
}
