import { formatTcpAddress, type TcpAddress } from '@holdfast/foundation';

/** Who is at the other end of a connection, as the kernel tells. */
export type ClientPeer =
  | ({ readonly kind: 'tcp' } & TcpAddress)
  | { readonly kind: 'unix'; readonly pid: number; readonly uid: number };

/** `127.0.0.1:51234`, `[::1]:51234`, `unix:pid=1234,uid=0` */
export function formatPeer(peer: ClientPeer): string {
  if (peer.kind === 'unix') return `unix:pid=${String(peer.pid)},uid=${String(peer.uid)}`;
  return formatTcpAddress(peer);
}

/**
 * What counts as one client where connections are limited: the address without the port, or the user of a Unix
 * socket. @param address as {@link formatPeer} writes it
 */
export function clientOf(address: string): string {
  const unix = /^unix:pid=\d+,(uid=\d+)$/.exec(address);
  return unix?.[1] === undefined ? address.replace(/:\d+$/, '') : `unix:${unix[1]}`;
}
