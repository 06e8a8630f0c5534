import { formatDiskseq, HoldfastError, parseDiskseq } from '@holdfast/foundation';
import { bootId, identifyDevice, readBlockFacts, sameWwn, type OwnedFd } from '@holdfast/linux';
import type { BlockBacking } from '@holdfast/store';
import type { OpenedDevice } from './open-backing.js';

/** What is compared: its name for people, what is expected, what the open device has, and when they are equal. */
interface Comparison {
  readonly fact: string;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
  readonly equal?: (expected: string, actual: string) => boolean;
}

/**
 * A block device that is there already: all that its definition tells is compared, on the open descriptor (D6, D9).
 *
 * @param fd opened by the path, which is a hint; closed here when it is not the device meant
 */
export function openBlock(fd: OwnedFd, { path, expected }: BlockBacking): OpenedDevice {
  try {
    const comparisons = compare(fd, path, expected);
    for (const comparison of comparisons) refuseDifference(path, comparison);
    return { fd, path, verified: comparisons.length > 0, fileLocked: true };
  } catch (error) {
    fd.close();
    throw error;
  }
}

function compare(fd: OwnedFd, path: string, expected: BlockBacking['expected']): Comparison[] {
  const identity = identifyDevice(fd.number);
  if (identity.kind !== 'block') {
    throw new HoldfastError(
      'DEVICE_UNSUITABLE',
      `"${path}" is not a block device; register it as kind "file"`,
      {
        path,
      },
    );
  }
  refuseDiskseqOfOtherBoot(path, expected);
  const facts = readBlockFacts(identity);
  const diskseq = identity.diskseq === undefined ? undefined : formatDiskseq(identity.diskseq);
  const all: readonly Comparison[] = [
    { fact: 'diskseq', expected: expected.diskseq, actual: diskseq, equal: sameDiskseq },
    { fact: 'device-mapper name', expected: expected.dmName, actual: facts.dmName },
    { fact: 'device-mapper UUID', expected: expected.dmUuid, actual: facts.dmUuid },
    { fact: 'WWN', expected: expected.wwn, actual: facts.wwn, equal: sameWwn },
    { fact: 'serial', expected: expected.serial, actual: facts.serial },
  ];
  return all.filter((comparison) => comparison.expected !== undefined);
}

/** D5: the kernel counts from anew in every boot, so the number may be any other device's by now. */
function refuseDiskseqOfOtherBoot(path: string, { diskseq, diskseqBootId }: BlockBacking['expected']): void {
  if (diskseq === undefined || diskseqBootId === bootId()) return;
  throw new HoldfastError(
    'DEVICE_IDENTITY_MISMATCH',
    `"${path}" was registered with the diskseq ${diskseq}, which was valid until the machine was started anew: remove ` +
      'the device, and add it with the diskseq that it has now, or with its device-mapper name, WWN or serial number',
    { path, fact: 'diskseq', expected: diskseq },
  );
}

function refuseDifference(
  path: string,
  { fact, expected = '', actual, equal = Object.is }: Comparison,
): void {
  if (actual !== undefined && equal(expected, actual)) return;
  const found = actual === undefined ? `no ${fact}` : `the ${fact} ${actual}`;
  throw new HoldfastError(
    'DEVICE_IDENTITY_MISMATCH',
    `"${path}" has ${found}, not ${expected}: it is not the device meant, and was not attached`,
    { path, fact, expected, ...(actual !== undefined && { actual }) },
  );
}

/** Digits of either case, with zeroes before them or not. */
function sameDiskseq(expected: string, actual: string): boolean {
  return parseDiskseq(expected) === parseDiskseq(actual);
}
