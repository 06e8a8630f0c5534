import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { HoldfastError } from '@holdfast/foundation';
import { hasHungUp, isDisconnected, socketPair } from '@holdfast/linux';
import { descriptorOf, type DetachedSocket } from '../client/client-socket.js';
import { PlainStream } from '../client/client-stream.js';
import { Relay } from './relay.js';

/** How long what a client sent before it hung up may take to the worker, before it is dropped: as in the worker. */
const HUNG_UP_GRACE_MS = 1_000;

/** The stream inside TLS. Its descriptor is one end of a socket pair; this process relays between it and the client. */
export class TlsStream extends PlainStream {
  #relay: Relay | undefined;
  #isOvertaken = false;

  /**
   * @param session `sessions/{session}`
   * @param client the client's own socket, underneath TLS
   */
  constructor(
    private readonly secure: TLSSocket,
    private readonly client: Socket,
    readonly session: string,
  ) {
    super(secure);
  }

  /** Undefined until the stream was detached. */
  get relay(): Relay | undefined {
    return this.#relay;
  }

  /** Node's TLS loses the error of a write that fails at once (ECONNRESET), and never calls back: the kernel is asked. */
  override async write(bytes: Uint8Array): Promise<void> {
    const written = super.write(bytes);
    if (this.#clientIsDisconnected) this.secure.destroy();
    await written;
  }

  override async detach(): Promise<DetachedSocket> {
    const { secure } = this;
    await this.release();
    // The worker asks the same of the sockets that come to it; of this one it would see the pair.
    const isStale = this.#isOvertaken && this.#clientHasHungUp;
    if (secure.destroyed || isStale) {
      // Nobody else has it any more.
      secure.destroy();
      throw new HoldfastError('HANDOFF_FAILED', 'the connection is closed already');
    }
    const [ours, theirs] = socketPair();
    this.#relay = new Relay(secure, ours, () => this.#clientIsDisconnected);
    return { fd: theirs, alreadyRead: Buffer.alloc(0) };
  }

  /**
   * T17: before another session begins, what this client sent until it hung up is with the worker, or dropped. The
   * worker knows of the pair only; that the client is gone it learns by the end of it.
   */
  async giveWay(): Promise<void> {
    if (this.#relay === undefined) {
      this.#isOvertaken = true;
      return;
    }
    if (!this.#clientHasHungUp) return;
    await Promise.race([this.#relay.closed, delay(HUNG_UP_GRACE_MS, undefined, { ref: false })]);
    this.#relay.destroy();
  }

  /** It cannot be sent to; one that has shut its own side may wait for answers. */
  get #clientIsDisconnected(): boolean {
    const descriptor = descriptorOf(this.client);
    return descriptor === undefined || isDisconnected(descriptor);
  }

  get #clientHasHungUp(): boolean {
    const descriptor = descriptorOf(this.client);
    return descriptor === undefined || hasHungUp(descriptor);
  }
}
