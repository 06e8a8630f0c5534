import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { BUFFERED_BYTES_MAX, CONNECTION_MS, GOODBYE_MS } from '../limits.js';
import { PeerFault } from '../peer-fault.js';

/** A connection on which exact bytes are sent, and exact numbers of bytes read, each within a deadline. */
export class RawStream {
  readonly #stream: Duplex;
  readonly #answerMs: number;
  readonly #diesAt = Date.now() + CONNECTION_MS;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #wanted = 0;
  #ended = false;
  #failure = '';
  #wake: () => void = () => undefined;

  readonly #onData = (chunk: Buffer): void => {
    // It is lent by the socket, for this call only.
    this.#chunks.push(Buffer.from(chunk));
    this.#buffered += chunk.length;
    if (this.#buffered >= Math.max(this.#wanted, BUFFERED_BYTES_MAX)) this.#stream.pause();
    this.#wake();
  };
  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#failure = ` (${error.code ?? error.message})`;
  };
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake();
  };

  constructor(stream: Duplex, answerMs: number) {
    this.#stream = stream;
    this.#answerMs = answerMs;
    stream.on('data', this.#onData).on('error', this.#onError);
    stream.on('end', this.#onEnd).on('close', this.#onEnd);
  }

  /** Hands bytes to the kernel, in one piece. Whether the server still takes them shows in what is read. */
  send(...parts: readonly Uint8Array[]): void {
    if (this.#stream.writable) this.#stream.write(Buffer.concat(parts));
  }

  /** Reads so many bytes, which the caller has held against a limit. @throws PeerFault when they do not come */
  async read(count: number): Promise<Buffer> {
    this.#wanted = count;
    await this.#until(() => this.#buffered >= count, `${count} bytes`);
    return this.#take(count);
  }

  /** Reads so many bytes, or those that come before the server closes. @throws PeerFault if it does neither */
  async readUpTo(count: number): Promise<Buffer> {
    this.#wanted = count;
    await this.#until(() => this.#buffered >= count || this.#ended, `${count} bytes, or an end`);
    return this.#take(Math.min(count, this.#buffered));
  }

  /** Whether the server closes without a further byte. @returns what it did instead, undefined if it did just that */
  async expectEnd(): Promise<string | undefined> {
    try {
      await this.#until(() => this.#ended || this.#buffered > 0, 'the end');
    } catch (error) {
      if (error instanceof PeerFault) return 'the connection stayed open';
      throw error;
    }
    const came = this.#take(Math.min(this.#buffered, 16));
    return came.length === 0 ? undefined : `further bytes, beginning with ${came.toString('hex')}`;
  }

  /** Gives the stream away, with everything on it that was not read yet being lost. */
  detach(): Duplex {
    this.#stream.off('data', this.#onData).off('error', this.#onError);
    this.#stream.off('end', this.#onEnd).off('close', this.#onEnd);
    return this.#stream;
  }

  /** Says a last thing; the server has some time to close its side. */
  end(last: Uint8Array): void {
    this.#stream.end(last);
    // What still comes is of no interest, but has to be taken for the end to be seen.
    this.#stream.off('data', this.#onData).resume();
    const timer = setTimeout(() => this.#stream.destroy(), GOODBYE_MS);
    this.#stream.once('close', () => {
      clearTimeout(timer);
    });
  }

  close(): void {
    this.#stream.destroy();
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    const deadline = Math.min(Date.now() + this.#answerMs, this.#diesAt);
    while (!isSo()) {
      const came = this.#buffered === 0 ? '' : `, after ${this.#buffered} bytes of it`;
      if (this.#ended) throw new PeerFault(`the server closed the connection${this.#failure}${came}`);
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new PeerFault(`no answer within ${this.#answerMs / 1000} s (${what})${came}`);
      if (this.#stream.isPaused()) this.#stream.resume();
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
    if (this.#buffered < BUFFERED_BYTES_MAX && this.#stream.isPaused()) this.#stream.resume();
    return all.subarray(0, count);
  }
}
