import { STRING_BYTES_MAX } from '@holdfast/nbd-protocol';
import { parseAuthority } from './authority.js';
import { parseQuery } from './query.js';
import { parseTlsParameters, type TlsParameters } from './tls-parameters.js';
import { invalidUri, percentDecode } from './uri-text.js';

/** Where a server listens. */
export type NbdAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** `path` begins with NUL for a socket of the abstract namespace. */
  | { readonly kind: 'unix'; readonly path: string };

/** What an NBD URI says. */
export interface NbdUri {
  readonly address: NbdAddress;
  /** Empty for the default export. */
  readonly exportName: string;
  /** With `nbds` and `nbds+unix`, where TLS is insisted on; else undefined. */
  readonly tls: TlsParameters | undefined;
}

/** RFC 3986, appendix B; the scheme and everything behind it. */
const PARTS = /^([^:/?#]+):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(#.*)?$/s;

const schemes: Readonly<Record<string, { readonly unix: boolean; readonly tls: boolean }>> = {
  nbd: { unix: false, tls: false },
  nbds: { unix: false, tls: true },
  'nbd+unix': { unix: true, tls: false },
  'nbds+unix': { unix: true, tls: true },
};

/**
 * Reads an NBD URI (`doc/uri.md` of the NBD project): `nbd://host:port/export`, `nbd+unix:///export?socket=path`, and
 * both with `nbds`. Parameters of TLS are `tls-certificates`, `tls-psk-file`, `tls-username`, `tls-hostname`,
 * `tls-verify-peer` and `tls-type`.
 *
 * Stricter than the document in one point: parameters of TLS need `nbds`, since with `nbd` a server, or somebody between,
 * could leave the connection in the clear in silence.
 *
 * @throws HoldfastError NBD_URI_INVALID that says which part is wrong
 */
export function parseNbdUri(text: string): NbdUri {
  if (/[\s\p{Cc}]/u.test(text))
    throw invalidUri('it contains a blank or a control character (write %20 for a blank)');
  const [, schemeText, authorityText, pathText = '', queryText, fragment] = PARTS.exec(text) ?? [];
  if (schemeText === undefined) throw invalidUri('it does not begin with a scheme, as nbd:// does');
  const scheme = Object.hasOwn(schemes, schemeText.toLowerCase())
    ? schemes[schemeText.toLowerCase()]
    : undefined;
  if (scheme === undefined) {
    throw invalidUri(`its scheme is "${schemeText}", not nbd, nbds, nbd+unix or nbds+unix`);
  }
  if (fragment !== undefined) throw invalidUri('it contains # (write %23 for # itself)');
  if (authorityText === undefined) throw invalidUri(`"${schemeText}:" must be followed by //`);

  const authority = parseAuthority(authorityText);
  const query = parseQuery(queryText ?? '');
  const socket = query.take('socket');
  const tls = parseTlsParameters(query, scheme.tls, authority.username);
  query.assertEmpty();
  return {
    address: scheme.unix ? unixAddress(socket, authority.host) : tcpAddress(socket, authority),
    exportName: parseExportName(pathText),
    tls,
  };
}

function unixAddress(socket: string | undefined, host: string): NbdAddress {
  if (host !== '') {
    throw invalidUri(
      `a Unix socket has no host, so "${host}" does not belong there (begin with nbd+unix:///)`,
    );
  }
  if (socket === undefined || socket === '')
    throw invalidUri('a Unix socket needs the parameter socket=PATH');
  if (socket.includes('\0', 1)) throw invalidUri('the path of the socket contains NUL');
  return { kind: 'unix', path: socket };
}

function tcpAddress(
  socket: string | undefined,
  { host, port }: { readonly host: string; readonly port: number },
): NbdAddress {
  if (socket !== undefined) throw invalidUri('the parameter socket belongs to nbd+unix:// and nbds+unix://');
  return { kind: 'tcp', host: host === '' ? 'localhost' : host, port };
}

/** "the path part of the URI except for the leading / character" (section "NBD URI export name"). */
function parseExportName(path: string): string {
  const name = percentDecode(path.replace(/^\//, ''), 'the export name');
  if (name.includes('\0')) throw invalidUri('the export name contains NUL');
  if (Buffer.byteLength(name) > STRING_BYTES_MAX) {
    throw invalidUri(`the export name is longer than ${String(STRING_BYTES_MAX)} bytes`);
  }
  return name;
}
