import type { Query } from './query.js';
import { invalidUri } from './uri-text.js';

/** How to do TLS, as a URI says it. */
export interface TlsParameters {
  /**
   * `x509`: certificates, of the folder or else of the system's authorities. `psk`: a key that both sides have.
   */
  readonly credentials:
    | {
        readonly kind: 'x509';
        /** Folder with `ca-cert.pem`, and for a client with a certificate `client-cert.pem` and `client-key.pem`. */
        readonly folder: string | undefined;
        /** Whether the certificate of the server is checked; it is unless the URI says no. */
        readonly verifyPeer: boolean;
      }
    | {
        readonly kind: 'psk';
        /** File with lines of the form `username:hexadecimal-key`. */
        readonly file: string;
        /** Undefined: the one who runs this. */
        readonly username: string | undefined;
      };
  /** The name that the certificate of the server must have, if it is not the host's. */
  readonly hostname: string | undefined;
}

const NAMES = [
  'tls-certificates',
  'tls-psk-file',
  'tls-username',
  'tls-hostname',
  'tls-verify-peer',
  'tls-type',
] as const;
type Name = (typeof NAMES)[number];

/** @param userinfo the user name in front of the host, the older way to give one */
export function parseTlsParameters(
  query: Query,
  isTls: boolean,
  userinfo: string | undefined,
): TlsParameters | undefined {
  const given = new Map<Name, string>();
  for (const name of NAMES) {
    const value = query.take(name);
    if (value === '') throw invalidUri(`the parameter "${name}" is empty`);
    if (value !== undefined) given.set(name, value);
  }
  const username = mergeUsername(given.get('tls-username'), userinfo);
  if (!isTls) {
    const [first = username === undefined ? undefined : 'a user name'] = given.keys();
    if (first !== undefined) throw invalidUri(`${first} is of use with nbds:// and nbds+unix:// only`);
    return undefined;
  }
  return { credentials: parseCredentials(given, username), hostname: given.get('tls-hostname') };
}

function parseCredentials(
  given: ReadonlyMap<Name, string>,
  username: string | undefined,
): TlsParameters['credentials'] {
  const folder = given.get('tls-certificates');
  const file = given.get('tls-psk-file');
  const kind = given.get('tls-type') ?? (file === undefined ? 'x509' : 'psk');
  if (kind === 'anon') throw invalidUri('tls-type=anon knows no identities, so it is not supported');
  if (kind !== 'x509' && kind !== 'psk') throw invalidUri(`tls-type is "${kind}", not x509 or psk`);
  if (kind === 'psk') {
    if (file === undefined) throw invalidUri('tls-type=psk needs tls-psk-file=FILE');
    if (folder !== undefined) throw invalidUri('tls-psk-file and tls-certificates exclude each other');
    return { kind, file, username };
  }
  if (file !== undefined) throw invalidUri('tls-psk-file and tls-type=x509 exclude each other');
  if (username !== undefined) throw invalidUri('a user name is of use with tls-psk-file only');
  return { kind, folder, verifyPeer: parseBoolean(given.get('tls-verify-peer')) };
}

function mergeUsername(parameter: string | undefined, userinfo: string | undefined): string | undefined {
  if (parameter !== undefined && userinfo !== undefined && parameter !== userinfo) {
    throw invalidUri(`tls-username is "${parameter}", and the user in front of the host is "${userinfo}"`);
  }
  return parameter ?? userinfo;
}

function parseBoolean(text: string | undefined): boolean {
  switch (text) {
    case undefined:
    case '1':
    case 'true':
      return true;
    case '0':
    case 'false':
      return false;
    default:
      throw invalidUri(`tls-verify-peer is "${text}", not 0 or 1`);
  }
}
