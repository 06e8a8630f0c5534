import type { DeviceIdentity } from '@holdfast/lease';
import type { DeviceIdentity as OpenIdentity } from '@holdfast/linux';

/** Who an open descriptor is, without the size, which is no part of it. */
export function recordedIdentity(open: OpenIdentity): DeviceIdentity {
  const { bootId, major, minor, inode, diskseq } = open;
  return diskseq === undefined ? { bootId, major, minor, inode } : { bootId, major, minor, inode, diskseq };
}
