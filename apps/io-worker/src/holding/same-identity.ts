import { toIdentityMessage, type registryV1 } from '@holdfast/contracts';
import type { DeviceIdentity } from '@holdfast/linux';

/** D6: what was read on the descriptor received is what the registry recorded. */
export function sameIdentity(identity: DeviceIdentity, expected: registryV1.Identity | undefined): boolean {
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
