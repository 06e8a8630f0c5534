import {
  databaseSettings,
  integer,
  listenAddress,
  milliseconds,
  setting,
  socketPath,
  type ServiceSettings,
} from '@holdfast/service';
import { tlsSettings } from './tls/tls-settings.js';

export const gatewaySettings = {
  listen: setting(
    'HOLDFAST_LISTEN',
    listenAddress,
    '127.0.0.1:10809',
    'HOST:PORT for NBD over TCP, `none` for no TCP.',
  ),
  nbdSocket: setting(
    'HOLDFAST_NBD_SOCKET',
    socketPath,
    '',
    'Path of the Unix socket for NBD; empty: `nbd.sock` in the state folder.',
  ),
  ...databaseSettings,
  connectionsMax: setting(
    'HOLDFAST_CONNECTIONS_MAX',
    integer(1, 65_535),
    '1024',
    'NBD connections at once, in handshake or served; more are closed at once.',
  ),
  clientConnectionsMax: setting(
    'HOLDFAST_CLIENT_CONNECTIONS_MAX',
    integer(1, 65_535),
    '512',
    'NBD connections at once from one address, or of one user of the Unix socket; more are closed at once.',
  ),
  exportConnectionsMax: setting(
    'HOLDFAST_EXPORT_CONNECTIONS_MAX',
    integer(1, 65_535),
    '512',
    'Sessions at once on one export that says no other number; more are refused with NBD_REP_ERR_POLICY.',
  ),
  handshakeMs: setting(
    'HOLDFAST_HANDSHAKE_MS',
    milliseconds,
    '10000',
    'Milliseconds that a client may take for the whole handshake: that of TLS included, and waiting for a service that is being restarted.',
  ),
  ...tlsSettings,
} as const;

export type GatewaySettings = ServiceSettings<typeof gatewaySettings>;
