import { attachmentName, deviceName, leaseName, type registryV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import type { AuditRecord, Store } from '@holdfast/store';
import { Observable } from 'rxjs';

/** Records read at a time. */
const BATCH = 500;

/** What has changed after a number, and then what changes, each once and in order, until nobody listens. */
export function deviceChanges(
  store: Store,
  after: bigint,
  deviceId?: string,
): Observable<registryV1.DeviceChange> {
  return new Observable((subscriber) => {
    let last = after;
    let reading = false;
    let more = false;
    const read = async () => {
      more = true;
      if (reading) return;
      reading = true;
      while (more && !subscriber.closed) {
        const records = await store.audit.listAfter(last, BATCH);
        more = records.length === BATCH;
        for (const record of records) {
          last = record.number;
          if (deviceId === undefined || record.deviceId === deviceId) subscriber.next(toChange(record));
        }
      }
      reading = false;
    };
    const tryToRead = () => {
      read().catch((error: unknown) => {
        subscriber.error(error);
      });
    };
    const end = store.audit.onWritten(tryToRead);
    tryToRead();
    return end;
  });
}

/**
 * Where a caller wants to go on: from now on when the token is empty.
 *
 * @throws HoldfastError INVALID_ARGUMENT; RESUME_TOKEN_EXPIRED when records after it are gone
 */
export async function resumeAfter(store: Store, token: string): Promise<bigint> {
  if (!/^\d{0,18}$/.test(token)) {
    throw new HoldfastError('INVALID_ARGUMENT', `resume_token is none that was given out: "${token}"`, {
      field: 'resume_token',
    });
  }
  const range = await store.audit.range();
  if (token === '') return range?.newest ?? 0n;
  const after = BigInt(token);
  // 0 asks for whatever there is.
  if (after === 0n || range === undefined || after + 1n >= range.oldest) return after;
  throw new HoldfastError(
    'RESUME_TOKEN_EXPIRED',
    `the oldest change that is recorded is ${String(range.oldest)}, after the resume token ${token}`,
    { oldest: String(range.oldest) },
  );
}

function toChange(record: AuditRecord): registryV1.DeviceChange {
  const { number, time, deviceId, attachmentId, lease, from, to, actor, reason } = record;
  return {
    resumeToken: String(number),
    time,
    device: deviceName.format(deviceId),
    attachment: attachmentId === undefined ? '' : attachmentName.format(deviceId, attachmentId),
    lease: lease === undefined ? '' : leaseName.format(lease),
    from,
    to,
    actor,
    reason,
  };
}
