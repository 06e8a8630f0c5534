import { formatDiskseq, type Diskseq } from '@holdfast/foundation';
import type { Identity } from './generated/holdfast/registry/v1/identity.js';

/** Who an open device is, whoever tells it: the kernel, or a record. */
export interface IdentityFields {
  readonly bootId: string;
  readonly major: number;
  readonly minor: number;
  readonly inode: bigint;
  /** Absent for a regular file. */
  readonly diskseq?: Diskseq | undefined;
}

/** An identity as the contracts of registry and worker write it. */
export function toIdentityMessage({ bootId, major, minor, inode, diskseq }: IdentityFields): Identity {
  return { bootId, major, minor, inode, diskseq: diskseq === undefined ? '' : formatDiskseq(diskseq) };
}
