import type { ClientPeer } from './client-peer.js';

/** A client that is connected, and what is known of it. */
export interface ConnectedClient {
  /** `sessions/{session}` */
  readonly name: string;
  readonly peer: ClientPeer;
  /** The peer as it is shown. */
  readonly address: string;
  readonly startTime: Date;
  /** The names that its certificate proves, none if it has shown none; undefined without TLS. */
  readonly certificateNames: readonly string[] | undefined;
}

export function hasTls({ certificateNames }: Pick<ConnectedClient, 'certificateNames'>): boolean {
  return certificateNames !== undefined;
}
