import type { StateLayout } from '@holdfast/contracts';
import { formatTcpAddress, isLoopback, type ListenAddress } from '@holdfast/foundation';
import { authenticatesAll, type TlsChoice } from './tls-choice.js';

/** What somebody should know who lets other machines connect; undefined when none can, or all prove who they are. */
export function exposureNotice(address: ListenAddress, tls: TlsChoice | undefined): string | undefined {
  if (address === 'none' || isLoopback(address) || authenticatesAll(tls)) return undefined;
  const { what, why } = exposure(tls);
  return `warning: whoever reaches ${formatTcpAddress(address)} can read and write ${what}, as ${why}`;
}

function exposure(tls: TlsChoice | undefined): { what: string; why: string } {
  if (tls?.mode === 'required') {
    return { what: 'what is exported there', why: 'clients need no certificate (--tls-client-certificates)' };
  }
  if (tls?.mode === 'per-export') {
    return { what: 'the exports there that let everybody in', why: 'they need no TLS (--tls per-export)' };
  }
  return { what: 'what is exported there', why: 'clients do not prove who they are without --tls' };
}

/** Which database is used when it is not that of the state folder: the variable may be meant for another program. */
export function databaseNotice(environment: NodeJS.ProcessEnv, layout: StateLayout): string | undefined {
  const url = environment['DATABASE_URL'] ?? '';
  if (url === '' || url === `file:${layout.database}`) return undefined;
  return `records are kept in ${withoutSecrets(url)}, as DATABASE_URL says, and not in the state folder; unset it if it is meant for another program`;
}

/** Users, passwords and parameters of a URL are not for a terminal that others may see. */
function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return 'another database';
  const { protocol, host, pathname } = new URL(url);
  return protocol === 'file:' ? `file:${pathname}` : `${protocol}//${host}${pathname}`;
}
