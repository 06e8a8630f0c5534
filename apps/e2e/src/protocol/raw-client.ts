import { connect, type Socket } from 'node:net';
import type { Holdfast } from '../support/holdfast.js';
import type { ReplyMode } from './reply-modes.js';
import type { Transport } from '../support/ready-line.js';

const DEADLINE_MS = 20_000;

/** Those that a test has not closed, so that none outlives it whatever becomes of the test. */
const open = new Set<RawClient>();

/** An NBD client that knows nothing: it sends what it is told, and reads exact numbers of bytes within a deadline. */
export class RawClient {
  readonly socket: Socket;
  /** What was negotiated; whoever reads replies goes by it. */
  mode: ReplyMode = 'simple';
  readonly transport: Transport;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #ended = false;
  #failure: NodeJS.ErrnoException | undefined;
  #wake: () => void = () => undefined;

  /** @param underneath the connection that TLS runs on, if it does */
  constructor(
    socket: Socket,
    transport: Transport,
    private readonly underneath?: RawClient,
  ) {
    this.socket = socket;
    this.transport = transport;
    open.add(this);
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#buffered += chunk.length;
      this.#wake();
    });
    socket.on('error', (error) => (this.#failure = error));
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  static connect({ port, layout }: Holdfast, transport: Transport = 'tcp'): Promise<RawClient> {
    const where =
      transport === 'tcp' ? { host: '127.0.0.1', port, noDelay: true } : { path: layout.nbdSocket };
    return new Promise((resolve, reject) => {
      const socket = connect({ ...where, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket, transport));
      });
    });
  }

  /** Bytes that came and were not read yet. */
  get buffered(): number {
    return this.#buffered;
  }

  /** The server closed the connection, or reset it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Why the socket failed, if it did: `ECONNRESET`, `EPIPE`. */
  get failure(): string | undefined {
    return this.#failure?.code;
  }

  /** Hands bytes to the socket, in one piece. */
  send(...parts: readonly Uint8Array[]): void {
    this.socket.write(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts));
  }

  /** The same, and waits until the kernel has them all, or the connection is over. */
  sent(...parts: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(Buffer.concat(parts), () => {
        resolve();
      });
    });
  }

  /** @throws Error when fewer bytes come within the deadline or before the end */
  async read(count: number, deadlineMs = DEADLINE_MS): Promise<Buffer> {
    await this.#until(`${String(count)} bytes`, () => this.#buffered >= count, deadlineMs);
    return this.#take(count);
  }

  /** Waits until the server closes. @returns what it sent until then */
  async readToEnd(deadlineMs = DEADLINE_MS): Promise<Buffer> {
    await this.#until('the end of the stream', () => this.#ended, deadlineMs);
    return this.#take(this.#buffered);
  }

  /** From now on nothing is taken off the socket. */
  stopReading(): void {
    this.socket.pause();
  }

  /** Nothing more will be sent; what comes is still read. */
  halfClose(): void {
    this.socket.end();
  }

  /** Closes in order: FIN, unless the kernel finds a reason to reset. */
  close(): void {
    open.delete(this);
    this.socket.destroy();
  }

  /** Closes by RST (SO_LINGER 0), whatever is queued; Unix sockets know only one way to close. */
  reset(): void {
    open.delete(this);
    if (this.underneath !== undefined) {
      this.underneath.reset();
      return;
    }
    // resetAndDestroy() would send first what is queued. This is what it does after that.
    if (this.transport === 'tcp') Object.assign(this.socket, { resetAndClosing: true });
    this.socket.destroy();
  }

  async #until(what: string, isSo: () => boolean, deadlineMs: number): Promise<void> {
    const state = () => `${String(this.#buffered)} bytes have come, ${this.failure ?? 'no error'}`;
    const deadline = Date.now() + deadlineMs;
    while (!isSo()) {
      if (this.#ended) throw new Error(`the server closed before ${what}: ${state()}`);
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`waited ${String(deadlineMs)} ms in vain for ${what}: ${state()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #take(count: number): Buffer {
    const [only] = this.#chunks;
    const all = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    this.#buffered -= count;
    this.#chunks = this.#buffered > 0 ? [all.subarray(count)] : [];
    return all.subarray(0, count);
  }
}

/** For the end of every test. */
export function closeRawClients(): void {
  for (const client of open) client.close();
}
