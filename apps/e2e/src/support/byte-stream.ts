import { connect, type Socket } from 'node:net';
import type { Transport } from './ready-line.js';
import type { Holdfast } from './holdfast.js';

/** A connected socket from which exact numbers of bytes are read. */
export class ByteStream {
  readonly socket: Socket;
  #buffered = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#buffered = Buffer.concat([this.#buffered, chunk]);
      this.#wake();
    });
    for (const event of ['error', 'end', 'close']) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  /** The peer has closed, and everything it sent was read. */
  get ended(): boolean {
    return this.#ended && this.#buffered.length === 0;
  }

  /** @throws Error when the peer closes before `count` bytes have come */
  async read(count: number): Promise<Buffer> {
    while (this.#buffered.length < count) {
      if (this.#ended) throw new Error('the server closed the connection');
      await this.#change();
    }
    const bytes = this.#buffered.subarray(0, count);
    this.#buffered = this.#buffered.subarray(count);
    return bytes;
  }

  /** Waits until the peer closes. @returns what it sent until then */
  async readToEnd(): Promise<Buffer> {
    while (!this.#ended) await this.#change();
    return await this.read(this.#buffered.length);
  }

  write(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Connects to the NBD side of an instance. */
export function connectTo(holdfast: Holdfast, transport: Transport = 'tcp'): Promise<ByteStream> {
  const socket =
    transport === 'tcp'
      ? connect({ host: '127.0.0.1', port: holdfast.port, noDelay: true })
      : connect(holdfast.layout.nbdSocket);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      resolve(new ByteStream(socket));
    });
  });
}
