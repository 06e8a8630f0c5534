import type { Socket } from 'node:net';
import { formatTcpAddress, HoldfastError } from '@holdfast/foundation';
import { duplicateFd, peerCredentials, type OwnedFd } from '@holdfast/linux';

/** The part of Node's socket handle that has no public name: its descriptor, and stopping the loop from reading it. */
interface StreamHandle {
  readonly fd: number;
  readStop(): void;
}

function handleOf(socket: Socket): StreamHandle | undefined {
  const handle = (socket as Socket & { readonly _handle?: StreamHandle | null })._handle ?? undefined;
  return handle !== undefined && handle.fd >= 0 ? handle : undefined;
}

/**
 * `127.0.0.1:51234`, `[::1]:51234`, or `unix:pid=1234,uid=0` by SO_PEERCRED; undefined when the client has gone
 * already, which the kernel tells by having no address any more.
 */
export function clientAddress(socket: Socket): string | undefined {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress !== undefined && remotePort !== undefined) {
    return formatTcpAddress({ host: remoteAddress, port: remotePort });
  }
  const handle = handleOf(socket);
  if (handle === undefined || socket.localPort !== undefined) return undefined;
  const { pid, uid } = peerCredentials(handle.fd);
  return `unix:pid=${String(pid)},uid=${String(uid)}`;
}

/** A socket taken out of the event loop: its descriptor, and what the loop had read of it. */
export interface DetachedSocket {
  readonly fd: OwnedFd;
  readonly alreadyRead: Buffer;
}

/**
 * Takes a socket away from Node without closing the connection: the loop stops reading, the descriptor is
 * duplicated, and the stream is destroyed, which closes Node's own descriptor but shuts nothing down.
 *
 * @throws HoldfastError HANDOFF_FAILED when the connection is closed already
 */
export function detachSocket(socket: Socket): DetachedSocket {
  const handle = handleOf(socket);
  if (handle === undefined) throw new HoldfastError('HANDOFF_FAILED', 'the connection is closed already');
  handle.readStop();
  const alreadyRead: Buffer[] = [];
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) break;
    alreadyRead.push(chunk);
  }
  const fd = duplicateFd(handle.fd);
  socket.destroy();
  return { fd, alreadyRead: Buffer.concat(alreadyRead) };
}
