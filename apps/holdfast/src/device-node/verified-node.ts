import { readFileSync } from 'node:fs';
import type { registryV1 } from '@holdfast/contracts';
import { formatDiskseq, HoldfastError } from '@holdfast/foundation';
import { bootId, identifyDevice, isReadOnlyBlock, openDevice } from '@holdfast/linux';

/** Where an attached block device is found on this machine, and who it is: read together, on one open descriptor (D4). */
export interface DeviceNode {
  /** Its node, as the kernel names it: `/dev/loop3`. */
  readonly node: string;
  readonly major: number;
  readonly minor: number;
  /** Lower-case hexadecimal (D1). */
  readonly diskseq: string;
  /** Whoever opens it may only read: so it was registered, or the kernel refuses writes. */
  readonly readOnly: boolean;
}

/**
 * Opens the node of an attached device and compares it, on the open descriptor, with what the registry has recorded (D6).
 * The registry holds the device, so its numbers cannot become another's until it is detached.
 *
 * @param device its name, for people
 * @param recorded what the registry read on the descriptor that it holds
 * @param registered whether it may be written
 * @throws HoldfastError DEVICE_UNSUITABLE for a regular file; DEVICE_IDENTITY_MISMATCH when it is attached on another
 * machine, or the node leads elsewhere; DEVICE_OPEN_FAILED when there is no node
 */
export function verifiedNode(
  device: string,
  recorded: registryV1.Identity,
  registered: { readonly readOnly: boolean },
): DeviceNode {
  if (recorded.diskseq === '') {
    throw new HoldfastError(
      'DEVICE_UNSUITABLE',
      `the device "${device}" is a regular file, which has no node; register it with --kind loop to have one`,
      { device },
    );
  }
  refuseOtherBoot(device, recorded);
  const node = nodeOf(device, recorded);
  using opened = openDevice(node, { readOnly: true });
  const found = identifyDevice(opened.number);
  const { major, minor } = found;
  const diskseq = found.diskseq === undefined ? '' : formatDiskseq(found.diskseq);
  if (major === recorded.major && minor === recorded.minor && diskseq === recorded.diskseq) {
    return { node, major, minor, diskseq, readOnly: registered.readOnly || isReadOnlyBlock(opened.number) };
  }
  throw new HoldfastError(
    'DEVICE_IDENTITY_MISMATCH',
    `${node} is ${major}:${minor} with diskseq ${diskseq || 'none'}, and "${device}" is ${recorded.major}:${recorded.minor} with diskseq ${recorded.diskseq}: detach and attach it again`,
    { device, path: node },
  );
}

/** Numbers and diskseq mean nothing beside another boot id: on another machine, or after a restart of this one (D5). */
function refuseOtherBoot(device: string, { bootId: recorded }: registryV1.Identity): void {
  if (recorded === bootId()) return;
  throw new HoldfastError(
    'DEVICE_IDENTITY_MISMATCH',
    `the device "${device}" is attached on another machine, or was before this one was booted; ask where its registry runs`,
    { device },
  );
}

/** sysfs names the node without udev's links, which come late and not in every container. */
function nodeOf(device: string, { major, minor }: registryV1.Identity): string {
  const numbers = `${major}:${minor}`;
  let uevent: string;
  try {
    uevent = readFileSync(`/sys/dev/block/${numbers}/uevent`, 'utf8');
  } catch (error) {
    throw new HoldfastError(
      'DEVICE_OPEN_FAILED',
      `the kernel here knows no block device ${numbers}, as which "${device}" is attached; is sysfs mounted?`,
      { device },
      error,
    );
  }
  const name = /^DEVNAME=(.+)$/m.exec(uevent)?.[1] ?? `block/${numbers}`;
  return `/dev/${name}`;
}
