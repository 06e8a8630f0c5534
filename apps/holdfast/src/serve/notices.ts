import type { StateLayout } from '@holdfast/contracts';
import { formatTcpAddress, isLoopback, type ListenAddress } from '@holdfast/foundation';

/** What somebody should know who lets other machines connect; undefined when none can. */
export function exposureNotice(address: ListenAddress): string | undefined {
  if (address === 'none' || isLoopback(address)) return undefined;
  return `warning: whoever reaches ${formatTcpAddress(address)} can read and write what is exported there, as there is no authentication yet`;
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
