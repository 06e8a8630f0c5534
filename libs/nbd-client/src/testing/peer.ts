import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';

/** A request as it arrived. */
export interface ArrivedRequest {
  readonly extended: boolean;
  readonly flags: number;
  readonly type: number;
  readonly cookie: bigint;
  readonly offset: bigint;
  readonly length: bigint;
  readonly payload: Buffer;
}

/** An option as it arrived. */
export interface ArrivedOption {
  readonly option: number;
  readonly data: Buffer;
}

/** The server's end of a stream, in the hands of a test: reads exactly, and writes whatever it is told. */
export class Peer {
  readonly stream: Duplex;
  #received = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  #isOver = false;

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    const over = () => {
      this.#isOver = true;
      this.#wake();
    };
    stream.on('end', over).on('close', over).on('error', over);
  }

  /** Bytes that came and were not read. */
  get unread(): Buffer {
    return this.#received;
  }

  /** @throws Error if the client went away before */
  async read(count: number): Promise<Buffer> {
    while (this.#received.length < count) {
      if (this.#isOver)
        throw new Error(`the client left with ${String(this.#received.length)} bytes of ${String(count)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const bytes = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return bytes;
  }

  /** Resolves once the client has closed. */
  async closed(): Promise<void> {
    while (!this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  write(...parts: readonly Uint8Array[]): void {
    this.stream.write(Buffer.concat(parts));
  }

  async readOption(): Promise<ArrivedOption> {
    const header = await this.read(16);
    if (header.toString('latin1', 0, 8) !== 'IHAVEOPT') throw new Error('no option begins here');
    return { option: header.readUInt32BE(8), data: await this.read(header.readUInt32BE(12)) };
  }

  async readRequest(): Promise<ArrivedRequest> {
    const magic = (await this.read(4)).readUInt32BE();
    const extended = magic === 0x21e41c71;
    if (!extended && magic !== 0x25609513) throw new Error('no request begins here');
    const rest = await this.read(extended ? 28 : 24);
    const flags = rest.readUInt16BE(0);
    const type = rest.readUInt16BE(2);
    const length = extended ? rest.readBigUInt64BE(20) : BigInt(rest.readUInt32BE(20));
    const hasPayload = extended ? (flags & 32) !== 0 : type === 1;
    return {
      extended,
      flags,
      type,
      cookie: rest.readBigUInt64BE(4),
      offset: rest.readBigUInt64BE(12),
      length,
      payload: hasPayload ? await this.read(Number(length)) : Buffer.alloc(0),
    };
  }
}
