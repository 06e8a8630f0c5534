import { HoldfastError } from '@holdfast/foundation';
import type { ExportRecord } from '@holdfast/store';
import { hasTls, type ConnectedClient } from '../client/connected-client.js';
import { rulesAllow } from './client-rule.js';

/** What admission goes by. */
type Subject = Pick<ConnectedClient, 'peer' | 'certificateNames'>;

/**
 * Whether a client may use an export.
 *
 * @throws HoldfastError TLS_REQUIRED, CLIENT_NOT_ALLOWED
 */
export function admit(record: ExportRecord, client: Subject): void {
  // First: a certificate may be what lets the client in.
  if (record.tlsRequired && !hasTls(client)) {
    throw new HoldfastError('TLS_REQUIRED', `export "${record.id}" is served through TLS only`, {
      export: record.id,
    });
  }
  if (!rulesAllow(record.allowedClients, client)) {
    throw new HoldfastError('CLIENT_NOT_ALLOWED', `this client may not use export "${record.id}"`, {
      export: record.id,
    });
  }
}

/** Whether LIST names an export to a client: not what is hidden, nor what it could not use as it is connected (N4). */
export function isListed(record: ExportRecord, client: Subject): boolean {
  if (record.hidden || (record.tlsRequired && !hasTls(client))) return false;
  return rulesAllow(record.allowedClients, client);
}
