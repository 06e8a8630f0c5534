import type { Socket } from 'node:net';

/**
 * Pulls bytes from a paused socket into a buffer of the caller's. The stream's own buffer bounds what is read ahead,
 * so a client that sends faster than it is served meets TCP's flow control.
 */
export class SocketReader {
  readonly #socket: Socket;
  #over = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const wake = () => {
      this.#wake?.();
    };
    const end = () => {
      this.#over = true;
      wake();
    };
    socket.on('readable', wake);
    socket.on('end', end);
    socket.on('error', end);
    socket.on('close', end);
  }

  /** Bytes that the stream has read and nobody has taken. */
  get buffered(): number {
    return this.#socket.readableLength;
  }

  /** Bytes copied, at least one; 0 when the connection is over in whatever way. */
  async readInto(target: Uint8Array, offset: number, length: number): Promise<number> {
    for (;;) {
      const count = this.#takeInto(target, offset, length);
      if (count > 0) return count;
      if (this.#over) return 0;
      await this.#news();
    }
  }

  /**
   * Waits for bytes to read or for the end of the connection. @returns false as soon as `isUnwanted`, which is asked
   * again after {@link wake}; then what has come stays where it is
   */
  async somethingUnless(isUnwanted: () => boolean): Promise<boolean> {
    for (;;) {
      if (this.#over) return true;
      if (isUnwanted()) return false;
      if (this.#socket.readableLength > 0) return true;
      await this.#news();
    }
  }

  /** Makes whoever waits look again. */
  wake(): void {
    this.#wake?.();
  }

  /**
   * Ends the use of the stream: what it has read and nobody has taken. Whatever comes from now on stays with the socket,
   * since the stream closes in the same turn of the loop.
   */
  surrender(): Uint8Array {
    const parts: Buffer[] = [];
    for (;;) {
      const part = this.#socket.read() as Buffer | null;
      if (part === null) break;
      parts.push(part);
    }
    this.#socket.destroy();
    return Buffer.concat(parts);
  }

  /** Whether there are bytes to read, or the end of the connection, before the time is over. */
  async somethingWithin(waitMs: number): Promise<boolean> {
    let isLate = false as boolean;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake?.();
    }, waitMs);
    try {
      while (this.#socket.readableLength === 0 && !this.#over) {
        if (isLate) return false;
        await this.#news();
      }
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** In pieces: to ask for more than its mark at once would make the stream read ahead that much for good. */
  #takeInto(target: Uint8Array, offset: number, length: number): number {
    let count = 0;
    while (count < length && this.buffered > 0) {
      const piece = Math.min(length - count, this.buffered, this.#socket.readableHighWaterMark);
      const chunk = this.#socket.read(piece) as Buffer | null;
      if (chunk === null) break;
      target.set(chunk, offset + count);
      count += chunk.length;
    }
    return count;
  }

  async #news(): Promise<void> {
    // Asking for nothing makes the stream look at the socket again.
    this.#socket.read(0);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
