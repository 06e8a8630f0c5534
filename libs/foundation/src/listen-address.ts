/** Where to listen over TCP. */
export interface TcpAddress {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 0 asks the kernel for a free one. */
  readonly port: number;
}

/** An address, or that nothing listens over TCP. */
export type ListenAddress = TcpAddress | 'none';

/** What {@link parseListenAddress} takes, as it completes "must be …". */
export const LISTEN_ADDRESS_FORM = 'HOST:PORT with a port up to 65535, or none';

const PORT_MAX = 65_535;

/** `host:port`, `[v6]:port` or `none`; undefined for everything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text === 'none') return 'none';
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > PORT_MAX ? undefined : { host, port };
}

/** `127.0.0.1:10809`, `[::1]:10809` */
export function formatTcpAddress({ host, port }: TcpAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

/**
 * Whether only programs of this machine can connect (RFC 1122, section 3.2.1.3: 127.0.0.0/8; RFC 4291, section
 * 2.5.3: ::1). A name other than `localhost` may mean any address, so it does not count.
 */
export function isLoopback({ host }: TcpAddress): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
