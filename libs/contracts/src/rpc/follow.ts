import type { ClientReadableStream } from '@grpc/grpc-js';

/** A service that is being restarted is there again after some hundred milliseconds. */
const RETRY_MS = 100;

/** The service ended the stream in order, as one does that stops; or it broke, and that is what gRPC said of it. */
export type StreamEnd = { readonly kind: 'ended' } | { readonly kind: 'broken'; readonly reason: string };

export interface FollowListener<Message> {
  readonly onMessage: (message: Message) => void;
  /** The stream is over, and is opened again; called once for each end. */
  readonly onBreak: (how: StreamEnd) => void;
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
    let over = false;
    const end = (how: StreamEnd) => {
      if (over || this.#closed) return;
      over = true;
      this.#listener.onBreak(how);
      this.#retry = setTimeout(() => {
        this.#follow();
      }, RETRY_MS);
    };
    stream.on('data', (message: Message) => {
      // What had arrived before the close is still emitted after it.
      if (!this.#closed) this.#listener.onMessage(message);
    });
    stream.on('error', (error) => {
      end({ kind: 'broken', reason: error.message });
    });
    stream.on('end', () => {
      end({ kind: 'ended' });
    });
  }
}
