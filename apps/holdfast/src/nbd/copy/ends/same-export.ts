import { realpathSync } from 'node:fs';
import type { NbdAddress, NbdConnection, NbdUri } from '@holdfast/nbd-client';

/** An export that is connected to. */
export interface OpenExport {
  readonly uri: NbdUri;
  readonly connection: NbdConnection;
}

/**
 * Whether two connections lead to one export, as far as names tell. One export may have several names, and one server
 * several addresses: a "no" is no promise.
 */
export function isSameExport(a: OpenExport, b: OpenExport): boolean {
  return (
    addressText(a.uri.address) === addressText(b.uri.address) && nameOf(a.connection) === nameOf(b.connection)
  );
}

/** The name that the server gives it: the default export has another one, often. */
function nameOf({ exportInfo }: NbdConnection): string {
  return exportInfo.canonicalName ?? exportInfo.name;
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

function addressText(address: NbdAddress): string {
  if (address.kind === 'unix') return `unix ${socketFile(address.path)}`;
  const host = address.host.toLowerCase();
  return `tcp ${LOOPBACK.has(host) ? 'localhost' : host} ${String(address.port)}`;
}

function socketFile(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // A socket of the abstract namespace, or one that is gone since.
    return path;
  }
}
