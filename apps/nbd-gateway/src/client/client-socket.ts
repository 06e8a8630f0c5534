import type { Socket } from 'node:net';
import { HoldfastError } from '@holdfast/foundation';
import { duplicateFd, peerCredentials, type OwnedFd } from '@holdfast/linux';
import type { ClientPeer } from './client-peer.js';

/** How IPv6 sockets name IPv4 clients (RFC 4291, section 2.5.5.2). */
const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;

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
 * The client of a socket, by its address or, at a Unix socket, by SO_PEERCRED; undefined when it has gone already,
 * which the kernel tells by having no address any more.
 */
export function peerOf(socket: Socket): ClientPeer | undefined {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress !== undefined && remotePort !== undefined) {
    return { kind: 'tcp', host: remoteAddress.replace(MAPPED_IPV4, ''), port: remotePort };
  }
  const handle = handleOf(socket);
  if (handle === undefined || socket.localPort !== undefined) return undefined;
  const { pid, uid } = peerCredentials(handle.fd);
  return { kind: 'unix', pid, uid };
}

/** The number of a socket's descriptor, lent as long as the socket is open; undefined when it is closed. */
export function descriptorOf(socket: Socket): number | undefined {
  return handleOf(socket)?.fd;
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
  const alreadyRead = readBuffered(socket);
  const fd = duplicateFd(handle.fd);
  socket.destroy();
  return { fd, alreadyRead };
}

/** What the loop has read of a socket, and nobody has taken. */
export function readBuffered(socket: Socket): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return Buffer.concat(chunks);
    chunks.push(chunk);
  }
}
