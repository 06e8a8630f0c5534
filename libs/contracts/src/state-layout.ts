import path from 'node:path';
import { HoldfastError } from '@holdfast/foundation';

/** sockaddr_un.sun_path holds 108 bytes with its closing NUL (unix(7)); Node cuts a longer path off in silence. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** Where everything stands in a state folder: one folder, one instance of holdfast. */
export interface StateLayout {
  readonly folder: string;
  /** Held by flock for as long as a supervisor lives. */
  readonly lock: string;
  readonly database: string;
  readonly logs: string;
  /** gRPC, Unix sockets of mode 0600. */
  readonly registrySocket: string;
  readonly workerSocket: string;
  readonly gatewaySocket: string;
  readonly verifierSocket: string;
  readonly supervisorSocket: string;
  /** Of a worker process that has not taken over yet. */
  readonly workerNextSocket: string;
  /** Descriptor passing. */
  readonly registryHandoff: string;
  readonly workerHandoff: string;
  readonly workerNextHandoff: string;
  /** NBD clients. */
  readonly nbdSocket: string;
  readonly demoImage: string;
}

/** @throws HoldfastError INVALID_SETTING when the folder's path is too long for the sockets in it */
export function stateLayout(folder: string): StateLayout {
  const at = (name: string) => path.join(folder, name);
  const layout: StateLayout = {
    folder,
    lock: at('lock'),
    database: at('holdfast.db'),
    logs: at('logs'),
    registrySocket: at('device-registry.sock'),
    workerSocket: at('io-worker.sock'),
    gatewaySocket: at('nbd-gateway.sock'),
    verifierSocket: at('allocator-verifier.sock'),
    supervisorSocket: at('supervisor.sock'),
    workerNextSocket: at('io-worker.next.sock'),
    registryHandoff: at('device-registry.handoff'),
    workerHandoff: at('io-worker.handoff'),
    workerNextHandoff: at('io-worker.next.handoff'),
    nbdSocket: at('nbd.sock'),
    demoImage: at('demo.img'),
  };
  const longest = Buffer.byteLength(layout.registryHandoff);
  if (longest > SOCKET_PATH_BYTES_MAX) {
    const excess = longest - SOCKET_PATH_BYTES_MAX;
    throw new HoldfastError(
      'INVALID_SETTING',
      `the state folder ${folder} has a path ${String(excess)} bytes too long for the Unix sockets in it; choose a shorter one`,
      { setting: 'HOLDFAST_STATE' },
    );
  }
  return layout;
}
