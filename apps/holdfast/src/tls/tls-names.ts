import { isIP } from 'node:net';
import { HoldfastError } from '@holdfast/foundation';

/** What certificates and keys are made for. */
export interface TlsNames {
  /** Names and addresses by which clients reach the server. */
  readonly hosts: readonly string[];
  /** Names of clients, which rules of exports go by. */
  readonly clients: readonly string[];
  /** The user of the pre-shared key. */
  readonly pskUser: string;
}

/** How the server is reached from the machine itself, for a first try. */
const LOCAL_HOSTS = ['localhost', '127.0.0.1', '::1'];

/** RFC 1123, section 2.1; a star for all names of a domain (RFC 6125, section 6.4.3). */
const HOST_NAME =
  /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;
const HOST_NAME_BYTES_MAX = 253;

/** Names of folders too; as long as a common name may be (RFC 5280, ub-common-name). */
const CLIENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

/** What GnuTLS takes for a user name in a file of keys, where a colon ends it and a number sign begins another form. */
const PSK_USER = /^[\x21-\x7e]{1,128}$/;

/**
 * Checks names, leaves out what is said twice, and adds how the server is reached from its own machine.
 *
 * @throws HoldfastError INVALID_SETTING that names the option
 */
export function checkNames({ hosts, clients, pskUser }: TlsNames): TlsNames {
  for (const host of hosts) {
    if (isIP(host) !== 0 || (HOST_NAME.test(host) && host.length <= HOST_NAME_BYTES_MAX)) continue;
    throw invalid('--host', host, 'must be a host name or an IP address, without port and brackets');
  }
  for (const client of clients) {
    if (CLIENT_NAME.test(client)) continue;
    throw invalid(
      '--client',
      client,
      'must be up to 64 letters, digits and any of ".", "_", "-", "@", a letter or digit first',
    );
  }
  if (!PSK_USER.test(pskUser) || pskUser.startsWith('#') || pskUser.includes(':')) {
    throw invalid(
      '--psk',
      pskUser,
      'must be up to 128 characters of ASCII without blanks and ":", and not begin with "#"',
    );
  }
  return { hosts: unique([...hosts, ...LOCAL_HOSTS]), clients: unique(clients), pskUser };
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function invalid(option: string, value: string, rule: string): HoldfastError {
  return new HoldfastError('INVALID_SETTING', `${option} "${value}" ${rule}`, { setting: option });
}
