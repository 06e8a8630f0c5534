import type { Socket } from 'node:net';
import type { TlsMode } from '@holdfast/nbd-protocol';
import type { ClientStream } from '../client/client-stream.js';

/** Injection token of the {@link TlsUpgrade}; undefined where there is no TLS. */
export const TLS_UPGRADE = Symbol('TlsUpgrade');

/** A client inside TLS. */
export interface SecuredClient {
  readonly stream: ClientStream;
  /** The names that its certificate proves, by subject and subject alternative names; none if it has shown none. */
  readonly certificateNames: readonly string[];
}

/** What begins TLS on a connection, once its client was told to, and carries its sessions. */
export interface TlsUpgrade {
  readonly mode: Exclude<TlsMode, 'off'>;

  /** Connections whose session is over, and that wait for their client to read the last of it. */
  readonly lingering: number;

  /**
   * Runs the server's side of a TLS handshake. Of the socket nothing is read that came before the client was told to
   * begin. When the socket is destroyed, so is what is made here.
   *
   * @param session `sessions/{session}`
   * @throws when the handshake fails, or the socket is closed meanwhile; it is the caller's to close
   */
  upgrade(socket: Socket, session: string): Promise<SecuredClient>;

  /**
   * T17: to be called before a session is opened. Of clients that have hung up, nothing is on its way afterwards.
   *
   * @param session the one that is about to be opened
   */
  settleBefore(session: string): Promise<void>;

  /** T16: ends the sessions that are carried here. Requests under way are answered, new ones with ESHUTDOWN. */
  drain(): Promise<void>;
}
