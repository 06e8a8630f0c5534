import {
  assert,
  byteCount,
  formatDiskseq,
  leaseEpoch,
  type BootId,
  type Diskseq,
} from '@holdfast/foundation';
import {
  attachmentStates,
  identityKey,
  isAttachmentState,
  isLive,
  type DeviceIdentity,
} from '@holdfast/lease';
import type { Attachment } from '../generated/sqlite/client.js';
import type { AttachmentRecord } from './attachment-record.js';
import { toRemote } from './remote-column.js';

/** The states that are not final, for queries. */
export const liveStates = attachmentStates.filter(isLive);

export function toAttachmentRecord(row: Attachment): AttachmentRecord {
  const { id, deviceId, state, epoch, verified, sizeBytes, remote, errorReason, errorMessage, updateTime } =
    row;
  assert(isAttachmentState(state), `the attachment ${id} is in the unknown state ${state}`);
  const identity = toIdentity(row);
  return {
    id,
    deviceId,
    state,
    epoch: leaseEpoch(epoch),
    ...(identity !== undefined && { identity }),
    ...(remote !== null && { remote: toRemote(remote) }),
    verified,
    sizeBytes: byteCount(sizeBytes),
    currentSizeBytes: byteCount(row.currentSizeBytes),
    errorReason,
    errorMessage,
    updateTime,
  };
}

/** 64-bit values without a sign are hexadecimal text: a database's BIGINT has one. */
function toIdentity({ bootId, major, minor, inode, diskseq }: Attachment): DeviceIdentity | undefined {
  if (bootId === null || major === null || minor === null || inode === null) return undefined;
  return {
    bootId: bootId as BootId,
    major,
    minor,
    inode: BigInt(`0x${inode}`),
    ...(diskseq !== null && { diskseq: BigInt(`0x${diskseq}`) as Diskseq }),
  };
}

/** The columns that hold the identity of a live attachment. */
export function identityColumns(identity: DeviceIdentity) {
  const { bootId, major, minor, inode, diskseq } = identity;
  return {
    bootId,
    major,
    minor,
    inode: inode.toString(16),
    diskseq: diskseq === undefined ? null : formatDiskseq(diskseq),
    liveIdentity: identityKey(identity),
  };
}
