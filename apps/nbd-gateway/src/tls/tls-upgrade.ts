import type { Socket } from 'node:net';
import type { TlsMode } from '@holdfast/nbd-protocol';
import type { ClientStream } from '../client/client-stream.js';

/** Injection token of the {@link TlsUpgrade}. Without a provider there is no TLS. */
export const TLS_UPGRADE = Symbol('TlsUpgrade');

/** A client inside TLS. */
export interface SecuredClient {
  readonly stream: ClientStream;
  /** The names that its certificate proves, by subject and subject alternative names; none if it has shown none. */
  readonly certificateNames: readonly string[];
}

/** What begins TLS on a connection, once its client was told to. */
export interface TlsUpgrade {
  readonly mode: Exclude<TlsMode, 'off'>;
  /**
   * Runs the server's side of a TLS handshake. Of the socket nothing is read that came before the client was told to
   * begin. When the socket is destroyed, so is what is made here.
   *
   * @throws when the handshake fails, or the socket is closed meanwhile; it is the caller's to close
   */
  upgrade(socket: Socket): Promise<SecuredClient>;
}
