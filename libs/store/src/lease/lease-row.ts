import { assert, byteCount, leaseEpoch } from '@holdfast/foundation';
import { isAccess } from '@holdfast/lease';
import type { Lease } from '../generated/sqlite/client.js';
import type { LeaseRecord } from './lease-record.js';

/** What a query for leases must include. */
export const withSize = { attachment: { select: { sizeBytes: true } } } as const;

type LeaseRow = Lease & { readonly attachment: { readonly sizeBytes: bigint } };

export function toLeaseRecord(row: LeaseRow): LeaseRecord {
  const { number, deviceId, attachmentId, epoch, access, session, workerInstance, createTime } = row;
  assert(isAccess(access), `the lease ${String(number)} has the unknown access ${access}`);
  return {
    number,
    deviceId,
    attachmentId,
    epoch: leaseEpoch(epoch),
    access,
    session,
    workerInstance,
    sizeBytes: byteCount(row.attachment.sizeBytes),
    createTime,
  };
}
