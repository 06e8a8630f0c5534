import { isIPv6 } from 'node:net';
import { invalidUri, percentDecode } from './uri-text.js';

/** IANA's port for NBD (section "Newstyle negotiation"). */
export const PORT_DEFAULT = 10809;

/** RFC 3986, section 3.2: `[userinfo@]host[:port]`. */
const AUTHORITY = /^(?:(?<user>[^@]*)@)?(?<host>\[[^\]]*\]|[^:@[\]]*)(?::(?<port>[^:]*))?$/;

export interface Authority {
  /** Empty if there is none; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
  /** For authentication by TLS. */
  readonly username: string | undefined;
}

export function parseAuthority(text: string): Authority {
  const groups = AUTHORITY.exec(text)?.groups;
  if (groups === undefined) {
    throw invalidUri(`"${text}" is no host and port (an IPv6 address is put in brackets, as in [::1]:10809)`);
  }
  return {
    host: parseHost(groups['host'] ?? ''),
    port: parsePort(groups['port']),
    username: parseUser(groups['user']),
  };
}

function parseHost(text: string): string {
  if (!text.startsWith('[')) return percentDecode(text, 'the host');
  // A zone, as in fe80::1%25eth0, follows its own percent-encoded percent sign (RFC 6874).
  const address = percentDecode(text.slice(1, -1), 'the host');
  if (!isIPv6(address)) throw invalidUri(`"${text}" is no IPv6 address`);
  return address;
}

/** An empty port is the default one (RFC 3986, section 3.2.3). */
function parsePort(text: string | undefined): number {
  if (text === undefined || text === '') return PORT_DEFAULT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw invalidUri(`"${text}" is no port from 1 to 65535`);
  return port;
}

function parseUser(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.includes(':')) throw invalidUri('a password has no place in it: NBD has none');
  return percentDecode(text, 'the user name');
}
