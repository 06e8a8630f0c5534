import { formatDiskseq, HoldfastError, parseDiskseq, type Diskseq } from '@holdfast/foundation';
import type { DeviceIdentity } from '@holdfast/lease';

class UnexpectedDiskseq extends HoldfastError {}

/**
 * Reads the diskseq that a caller expects.
 *
 * @returns undefined when the field is absent (D2)
 * @throws HoldfastError INVALID_ARGUMENT when it is malformed (D3)
 */
export function parseExpectedDiskseq(text: string | undefined): Diskseq | undefined {
  if (text === undefined) return undefined;
  const diskseq = parseDiskseq(text);
  if (diskseq !== undefined) return diskseq;
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `expected_diskseq must be 1 to 16 hexadecimal digits, is "${text}"`,
    { field: 'expected_diskseq' },
  );
}

/** D1: another device than the caller expects is refused, and one that has no diskseq (D3). */
export function refuseUnexpected(
  device: string,
  identity: DeviceIdentity | undefined,
  expected: Diskseq | undefined,
): void {
  if (expected === undefined || identity?.diskseq === expected) return;
  const found =
    identity?.diskseq === undefined ? 'has no diskseq' : `has diskseq ${formatDiskseq(identity.diskseq)}`;
  throw new UnexpectedDiskseq(
    'DEVICE_IDENTITY_MISMATCH',
    `the device "${device}" ${found}, not ${formatDiskseq(expected)} as expected: it is another one`,
    { device },
  );
}

export function isUnexpected(error: unknown): boolean {
  return error instanceof UnexpectedDiskseq;
}
