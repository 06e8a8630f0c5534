import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { HoldfastError } from '@holdfast/foundation';
import { KEEP_ALIVE_MS, RECEIVE_BYTES } from '../limits.js';
import type { NbdAddress } from '../uri/nbd-uri.js';

/** An address as one reads it: `localhost:10809`, `[::1]:10809`, or the path of a socket. */
export function describeAddress(address: NbdAddress): string {
  if (address.kind === 'unix') return address.path.replace(/^\0/, '@');
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${String(address.port)}`;
}

/**
 * Connects to a server. The socket is paused, and what it gives as data is lent for the call: it is received in one buffer
 * again and again, since fresh memory for each piece takes longer than to receive it.
 *
 * @throws HoldfastError NBD_SERVER_UNREACHABLE if that fails, or takes longer than `connectMs`
 */
export function openSocket(address: NbdAddress, connectMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }),
      onread: {
        buffer: Buffer.allocUnsafeSlow(RECEIVE_BYTES),
        callback: (count, memory) => {
          socket.emit('data', memory.subarray(0, count));
          return true;
        },
      },
    });
    // Received only once there is somebody to take it.
    socket.pause();
    const fail = (reason: string, cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      const where = describeAddress(address);
      reject(
        new HoldfastError(
          'NBD_SERVER_UNREACHABLE',
          `no connection to the NBD server at ${where}: ${reason}`,
          { address: where },
          cause,
        ),
      );
    };
    const timer = setTimeout(() => {
      fail(`no answer within ${String(connectMs / 1000)} s`);
    }, connectMs);
    const onError = (error: Error): void => {
      fail(reasonOf(error), error);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      // "both the client and server SHOULD disable Nagle's algorithm" (section "Protocol phases").
      if (address.kind === 'tcp') socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
      resolve(socket);
    });
  });
}

/** Node tries all addresses of a name, and then says only that all failed. */
function reasonOf(error: Error): string {
  const [first] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  const cause = first instanceof Error ? first : error;
  switch ('code' in cause ? cause.code : undefined) {
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ENOENT':
      return 'there is no such socket';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name of the host is not known';
    case 'EACCES':
      return 'permission denied';
    default:
      return cause.message;
  }
}
