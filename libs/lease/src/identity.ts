import { formatDiskseq, type BootId, type Diskseq } from '@holdfast/foundation';

/**
 * Who an open device is, read on its descriptor and valid for one boot of one machine. A regular file is known by its
 * file system (`major:minor`) and inode; a block device by its number and, where the kernel has one, its diskseq.
 */
export interface DeviceIdentity {
  readonly bootId: BootId;
  /** Of the device itself (block), or of the file system that holds the file. */
  readonly major: number;
  readonly minor: number;
  /** Unsigned 64-bit; 0n for a block device. */
  readonly inode: bigint;
  /** Absent for a regular file, and for a block device on a kernel that has none. */
  readonly diskseq?: Diskseq;
}

/**
 * One text for one identity, equal exactly when the identities are: what the database keeps unique among the live.
 * `bootId/major:minor/inode/diskseq`, the last two in hexadecimal, `-` where there is no diskseq.
 */
export function identityKey(identity: DeviceIdentity): string {
  const { bootId, major, minor, inode, diskseq } = identity;
  const seq = diskseq === undefined ? '-' : formatDiskseq(diskseq);
  return `${bootId}/${String(major)}:${String(minor)}/${inode.toString(16)}/${seq}`;
}

/** Whether every field is equal, a missing diskseq only to a missing one. */
export function identityEquals(a: DeviceIdentity, b: DeviceIdentity): boolean {
  return identityKey(a) === identityKey(b);
}

/**
 * What comparing an open descriptor with a recorded identity tells:
 *
 * - `same`: it is the device that was recorded.
 * - `unverified`: a block device whose number is the recorded one, recorded without a diskseq; nothing tells whether
 *   the number was reused since. Whoever goes on shows it.
 * - `different`: refuse. A diskseq that was recorded and cannot be read now counts as different.
 */
export type IdentityVerdict = 'same' | 'unverified' | 'different';

/** Compares what was recorded with what was read on the open descriptor. */
export function compareIdentity(recorded: DeviceIdentity, opened: DeviceIdentity): IdentityVerdict {
  const sameNumbers =
    recorded.bootId === opened.bootId &&
    recorded.major === opened.major &&
    recorded.minor === opened.minor &&
    recorded.inode === opened.inode;
  if (!sameNumbers) return 'different';
  const isBlockDevice = recorded.inode === 0n;
  if (recorded.diskseq === undefined && isBlockDevice) return 'unverified';
  return recorded.diskseq === opened.diskseq ? 'same' : 'different';
}
