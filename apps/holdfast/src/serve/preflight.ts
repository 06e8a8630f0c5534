import { connect, createServer } from 'node:net';
import { SOCKET_PATH_BYTES_MAX } from '@holdfast/contracts';
import {
  formatTcpAddress,
  HoldfastError,
  LISTEN_ADDRESS_FORM,
  parseListenAddress,
  type ListenAddress,
  type TcpAddress,
} from '@holdfast/foundation';

/** What `--listen` says, or HOLDFAST_LISTEN without it. @throws HoldfastError INVALID_SETTING */
export function parseListen(text: string): ListenAddress {
  const address = parseListenAddress(text);
  if (address !== undefined) return address;
  throw new HoldfastError(
    'INVALID_SETTING',
    `--listen (or HOLDFAST_LISTEN) must be ${LISTEN_ADDRESS_FORM}, got "${text}"`,
    { setting: '--listen' },
  );
}

/**
 * Finds out before anything is started whether the address is free; the gateway's own bind decides in the end.
 *
 * @throws HoldfastError PORT_IN_USE
 */
export function checkTcpFree({ host, port }: TcpAddress): Promise<void> {
  const address = formatTcpAddress({ host, port });
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const problem =
        error.code === 'EADDRINUSE'
          ? `${address} is in use by another program; choose another address by --listen`
          : `cannot listen on ${address}: ${error.message}; choose another address by --listen`;
      reject(new HoldfastError('PORT_IN_USE', problem, { address }, error));
    });
    probe.listen({ host, port }, () => {
      probe.close(() => {
        resolve();
      });
    });
  });
}

/** @throws HoldfastError INVALID_SETTING when the path is too long; PORT_IN_USE when somebody listens on it */
export async function checkUnixFree(path: string): Promise<void> {
  const length = Buffer.byteLength(path);
  if (length > SOCKET_PATH_BYTES_MAX) {
    throw new HoldfastError(
      'INVALID_SETTING',
      `the path of a Unix socket has at most ${String(SOCKET_PATH_BYTES_MAX)} bytes, ${path} has ${String(length)}; choose another path by --socket`,
      { setting: '--socket' },
    );
  }
  await refuseIfAnswered(path);
}

function refuseIfAnswered(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      reject(
        new HoldfastError(
          'PORT_IN_USE',
          `another program listens on ${path}; choose another path by --socket`,
          { path },
        ),
      );
    });
    // Refused or absent: free. Anything else is for the gateway to judge, which opens it for real.
    probe.once('error', () => {
      resolve();
    });
  });
}
