import type { Socket } from 'node:net';
import { assert } from '@holdfast/foundation';
import { duplicateFd, peerCredentials, type OwnedFd } from '@holdfast/linux';

/** The part of Node's socket handle that has no public name: its descriptor, and stopping the loop from reading it. */
interface StreamHandle {
  readonly fd: number;
  readStop(): void;
}

function handleOf(socket: Socket): StreamHandle {
  const handle = (socket as Socket & { readonly _handle?: StreamHandle })._handle;
  assert(handle !== undefined && handle.fd >= 0, 'the socket is open');
  return handle;
}

/** `127.0.0.1:51234`, `[::1]:51234`, or `unix:pid=1234,uid=0` by SO_PEERCRED. */
export function clientAddress(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress !== undefined && remotePort !== undefined) {
    const host = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress;
    return `${host}:${String(remotePort)}`;
  }
  const { pid, uid } = peerCredentials(handleOf(socket).fd);
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
 */
export function detachSocket(socket: Socket): DetachedSocket {
  const handle = handleOf(socket);
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
