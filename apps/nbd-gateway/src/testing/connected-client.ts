import { formatPeer, type ClientPeer } from '../client/client-peer.js';
import type { ConnectedClient } from '../client/connected-client.js';

/** A client as it is once it was accepted: without TLS, unless told. */
export function clientOver(peer: ClientPeer, change: Partial<ConnectedClient> = {}): ConnectedClient {
  return {
    name: 'sessions/1',
    peer,
    address: formatPeer(peer),
    startTime: new Date(1),
    certificateNames: undefined,
    ...change,
  };
}
