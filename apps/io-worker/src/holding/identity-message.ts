import type { workerV1 } from '@holdfast/contracts';
import { formatDiskseq } from '@holdfast/foundation';
import type { DeviceIdentity } from '@holdfast/linux';

/** An identity as the contract writes it. */
export function toIdentityMessage(identity: DeviceIdentity): workerV1.DeviceIdentity {
  return {
    bootId: identity.bootId,
    major: identity.major,
    minor: identity.minor,
    inode: identity.inode,
    diskseq: identity.diskseq === undefined ? '' : formatDiskseq(identity.diskseq),
  };
}

/** D6: what was read on the descriptor received is what the registry recorded. */
export function sameIdentity(
  identity: DeviceIdentity,
  expected: workerV1.DeviceIdentity | undefined,
): boolean {
  if (expected === undefined) return false;
  const actual = toIdentityMessage(identity);
  return (
    actual.bootId === expected.bootId &&
    actual.major === expected.major &&
    actual.minor === expected.minor &&
    actual.inode === expected.inode &&
    actual.diskseq === expected.diskseq
  );
}
