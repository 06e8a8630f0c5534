import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Credentials } from './credentials.js';
import type { PskKeys } from './psk-file.js';
import { tlsFailure, unverifiedCertificate, type TlsFailure } from './tls-failure.js';

/** The gateway bounds the whole handshake; Node's own bound is as far off as its timers go. */
const HANDSHAKE_MS_MAX = 2 ** 31 - 1;

const STRANGER_KEY_BYTES = 32;

/** What can be the name of a user. Resumed sessions present their tickets in the same place, and those are binary. */
const PRINTABLE = /^[^\p{C}\uFFFD]+$/u;

/** Who waits for the end of a TLS handshake. */
interface Waiting {
  readonly established: (secure: TLSSocket) => void;
  readonly failed: (failure: TlsFailure) => void;
  /** The client named a user that has no key. */
  stranger?: string;
}

/** The server's side of TLS handshakes by one set of credentials. */
export class TlsAcceptor {
  readonly #server: Server;
  readonly #waiting = new WeakMap<Socket, Waiting>();

  /** @throws Error of OpenSSL when it cannot use the credentials */
  constructor({ context, ofClients, pskKeys }: Credentials) {
    this.#server = createServer({
      ...context,
      requestCert: ofClients !== 'off',
      rejectUnauthorized: ofClients === 'required',
      handshakeTimeout: HANDSHAKE_MS_MAX,
      ...(pskKeys !== undefined && {
        pskCallback: (secure: TLSSocket, user: string) => this.#keyOf(pskKeys, secure, user),
      }),
    });
    this.#server.on('secureConnection', (secure) => {
      this.#secured(secure);
    });
    this.#server.on('tlsClientError', (error, secure) => {
      this.#failed(secure, error);
    });
  }

  /**
   * Runs a TLS handshake on a connected socket; what is buffered in it counts as TLS. Once the socket is destroyed, so
   * is what is returned.
   *
   * @throws TlsFailure also when the socket is closed meanwhile; it is the caller's to close
   */
  accept(socket: Socket): Promise<TLSSocket> {
    return new Promise((established, failed) => {
      if (socket.destroyed) {
        failed(tlsFailure({ code: 'ECONNRESET' }));
        return;
      }
      this.#waiting.set(socket, { established, failed });
      // A client that ends its side in the middle of a handshake has left; afterwards it may still want answers.
      socket.allowHalfOpen = false;
      // "This event can also be explicitly emitted by users to inject connections into the TLS server" (Node, tls).
      this.#server.emit('connection', socket);
    });
  }

  #secured(secure: TLSSocket): void {
    const { authorized, authorizationError } = secure;
    // From here on errors are the socket's own, and nobody else ends it.
    secure.on('error', () => secure.destroy());
    secure.allowHalfOpen = true;
    const waiting = this.#waitingFor(secure);
    if (waiting === undefined) secure.destroy();
    else if (!authorized && secure.getPeerX509Certificate() !== undefined) {
      waiting.failed(unverifiedCertificate(authorizationError));
    } else waiting.established(secure);
  }

  #failed(secure: TLSSocket, error: Error): void {
    const waiting = this.#waitingFor(secure);
    const { authorizationError } = secure as { readonly authorizationError: unknown };
    waiting?.failed(
      typeof authorizationError === 'string'
        ? unverifiedCertificate(authorizationError)
        : tlsFailure(error, waiting.stranger),
    );
  }

  /**
   * A user without a key gets one that nobody can have: the handshake fails as it does by a wrong key, so that names
   * cannot be tried out (RFC 4279, section 2).
   */
  #keyOf(keys: PskKeys, secure: TLSSocket, user: string): Buffer | null {
    const key = keys.get(user);
    if (key !== undefined) return key;
    if (!PRINTABLE.test(user)) return null;
    const waiting = this.#waitingFor(secure);
    if (waiting !== undefined) waiting.stranger = user;
    return randomBytes(STRANGER_KEY_BYTES);
  }

  /** Node tells of a handshake by its TLS socket, and has no public name for the socket underneath. */
  #waitingFor(secure: TLSSocket): Waiting | undefined {
    const { _parent: socket } = secure as TLSSocket & { readonly _parent?: Socket | null };
    return socket === null || socket === undefined ? undefined : this.#waiting.get(socket);
  }
}
