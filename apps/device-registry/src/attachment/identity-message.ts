import type { registryV1 } from '@holdfast/contracts';
import { formatDiskseq } from '@holdfast/foundation';
import type { DeviceIdentity } from '@holdfast/lease';
import type { DeviceIdentity as OpenIdentity } from '@holdfast/linux';

/** Who an open descriptor is, without the size, which is no part of it. */
export function recordedIdentity(open: OpenIdentity): DeviceIdentity {
  const { bootId, major, minor, inode, diskseq } = open;
  return diskseq === undefined ? { bootId, major, minor, inode } : { bootId, major, minor, inode, diskseq };
}

/** An identity as both contracts write it. */
export function toIdentityMessage(identity: DeviceIdentity): registryV1.Identity {
  const { bootId, major, minor, inode, diskseq } = identity;
  return { bootId, major, minor, inode, diskseq: diskseq === undefined ? '' : formatDiskseq(diskseq) };
}
