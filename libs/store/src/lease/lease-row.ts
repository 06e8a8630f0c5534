import { assert, byteCount, leaseEpoch } from '@holdfast/foundation';
import { isAccess, isLiveLeaseState } from '@holdfast/lease';
import type { Lease } from '../generated/sqlite/client.js';
import type { LeaseRecord } from './lease-record.js';

/** What a query for leases must include. */
export const withSize = { attachment: { select: { currentSizeBytes: true } } } as const;

type LeaseRow = Lease & { readonly attachment: { readonly currentSizeBytes: bigint } };

export function toLeaseRecord(row: LeaseRow): LeaseRecord {
  const {
    number,
    deviceId,
    attachmentId,
    epoch,
    state,
    access,
    clientGroup,
    session,
    workerInstance,
    createTime,
  } = row;
  assert(isAccess(access), `the lease ${String(number)} has the unknown access ${access}`);
  assert(isLiveLeaseState(state), `the lease ${String(number)} is in the unknown state ${state}`);
  return {
    number,
    deviceId,
    attachmentId,
    epoch: leaseEpoch(epoch),
    state,
    access,
    clientGroup,
    session,
    workerInstance,
    sizeBytes: byteCount(row.attachment.currentSizeBytes),
    createTime,
  };
}
