import { once } from 'node:events';
import { Socket } from 'node:net';
import { connect, TLSSocket } from 'node:tls';
import { setBlocking, socketPair } from '@holdfast/linux';
import type { DetachedSocket } from '../client/client-socket.js';
import { PlainStream } from '../client/client-stream.js';
import type { SecuredClient, TlsUpgrade } from '../tls/tls-upgrade.js';

const KEY = Buffer.from('a key that both sides of a test know');
const COMMON = { ciphers: 'PSK-AES256-GCM-SHA384', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

/** TLS by a key that both sides know: a real handshake, without certificates. */
export class PskUpgrade implements TlsUpgrade {
  /** What it says that the client's certificate proves. */
  certificateNames: readonly string[] = [];

  readonly lingering = 0;

  /** Runs before a stream is taken over. */
  beforeDetach: () => Promise<void> = () => Promise.resolve();

  constructor(readonly mode: TlsUpgrade['mode']) {}

  settleBefore(): Promise<void> {
    return Promise.resolve();
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  async upgrade(socket: Socket): Promise<SecuredClient> {
    // The types of Node leave out that servers take the callback here too.
    const options = { ...COMMON, isServer: true, pskCallback: () => KEY };
    const secure = new TLSSocket(socket, options);
    const waiting = new AbortController();
    secure.once('close', () => {
      waiting.abort();
    });
    await once(secure, 'secure', waiting);
    return { stream: new RelayedStream(secure, this.beforeDetach), certificateNames: this.certificateNames };
  }
}

/** The client's side. */
export function connectByPsk(socket: Socket): TLSSocket {
  return connect({
    ...COMMON,
    socket,
    pskCallback: () => ({ psk: KEY, identity: 'a test' }),
    checkServerIdentity: () => undefined,
  });
}

/** Gives one end of a socket pair away, and carries its bytes through TLS. */
class RelayedStream extends PlainStream {
  readonly #beforeDetach: () => Promise<void>;

  constructor(secure: TLSSocket, beforeDetach: () => Promise<void>) {
    super(secure);
    this.#beforeDetach = beforeDetach;
  }

  override async detach(): Promise<DetachedSocket> {
    await this.#beforeDetach();
    const secure = await this.release();
    const [ours, theirs] = socketPair();
    setBlocking(ours.number, false);
    const relay = new Socket({ fd: ours.release(), readable: true, writable: true });
    for (const side of [relay, secure]) side.on('error', () => undefined);
    secure.pipe(relay).pipe(secure);
    return { fd: theirs, alreadyRead: Buffer.alloc(0) };
  }
}
