import { connect, createServer } from 'node:net';
import { HoldfastError } from '@holdfast/foundation';

/** `host:port`, `[v6]:port` */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** @throws HoldfastError INVALID_SETTING */
export function parseListen(text: string): TcpAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new HoldfastError('INVALID_SETTING', `--listen must be HOST:PORT, got "${text}"`, {
      setting: '--listen',
    });
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

/**
 * Finds out before anything is started whether the address is free; the gateway's own bind decides in the end.
 *
 * @throws HoldfastError PORT_IN_USE
 */
export function checkTcpFree({ host, port }: TcpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const problem =
        error.code === 'EADDRINUSE'
          ? `${host}:${String(port)} is in use by another program; choose another address by --listen`
          : `cannot listen on ${host}:${String(port)}: ${error.message}`;
      reject(new HoldfastError('PORT_IN_USE', problem, { address: `${host}:${String(port)}` }, error));
    });
    probe.listen({ host, port }, () => {
      probe.close(() => {
        resolve();
      });
    });
  });
}

/** @throws HoldfastError PORT_IN_USE when somebody listens on the Unix socket */
export function checkUnixFree(path: string): Promise<void> {
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
