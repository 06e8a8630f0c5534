import type { ClientReadableStream } from '@grpc/grpc-js';

/** A service that is being restarted is there again after some hundred milliseconds. */
const RETRY_MS = 100;

export interface FollowListener<Message> {
  readonly onMessage: (message: Message) => void;
  /** The stream broke, and is opened again; called once for each break, with what gRPC said. */
  readonly onBreak: (reason: string) => void;
}

/** A server stream that is opened again whenever it ends, until it is closed; after that its listener hears nothing. */
export class FollowedStream<Message> {
  readonly #open: () => ClientReadableStream<Message>;
  readonly #listener: FollowListener<Message>;
  #stream: ClientReadableStream<Message> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(open: () => ClientReadableStream<Message>, listener: FollowListener<Message>) {
    this.#open = open;
    this.#listener = listener;
    this.#follow();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#stream?.cancel();
  }

  #follow(): void {
    const stream = this.#open();
    this.#stream = stream;
    let broken = false;
    const broke = (reason: string) => {
      if (broken || this.#closed) return;
      broken = true;
      this.#listener.onBreak(reason);
      this.#retry = setTimeout(() => {
        this.#follow();
      }, RETRY_MS);
    };
    stream.on('data', (message: Message) => {
      // What had arrived before the close is still emitted after it.
      if (!this.#closed) this.#listener.onMessage(message);
    });
    stream.on('error', (error) => {
      broke(error.message);
    });
    stream.on('end', () => {
      broke('the service ended the stream');
    });
  }
}
