import { formatDiskseq, HoldfastError, messageOf, type BootId } from '@holdfast/foundation';
import { identityEquals, type DeviceIdentity } from '@holdfast/lease';
import { identifyDevice, openDevice } from '@holdfast/linux';
import type { BlockBacking, DeviceRecord } from '@holdfast/store';
import { recordedIdentity } from './recorded-identity.js';

/** What an open device has to pass. @throws HoldfastError */
export type DeviceCheck = (opened: DeviceIdentity) => void;

export const anyDevice: DeviceCheck = () => undefined;

/** Whether a device may be attached again by itself. */
export type ReattachmentVerdict =
  | { readonly kind: 'allowed'; readonly check: DeviceCheck }
  | { readonly kind: 'withheld'; readonly why: HoldfastError };

/**
 * Nothing is reopened by its old name alone (D5). A device is attached again by itself when something tells that it is
 * the one meant:
 *
 * - what it is made from, or what its definition expects of it: compared at every attach, and valid in every boot;
 * - an export of another NBD server is known by its URI, as far as it can be: servers tell nothing else of themselves;
 * - a regular file is known by its path, as long as the path leads to a regular file;
 * - any other within one boot, by the identity that was read on its descriptor when it was attached last.
 */
export function reattachmentOf(device: DeviceRecord, boot: BootId): ReattachmentVerdict {
  const { backing, attachment } = device;
  if (device.reattachment === 'MANUAL')
    return withheld(device, 'it is registered to be attached by hand only');
  if (
    backing.kind === 'loop' ||
    backing.kind === 'nbd' ||
    (backing.kind === 'block' && isKnown(backing, boot))
  )
    return allowed(anyDevice);
  const last = attachment?.identity;
  if (backing.kind === 'file' && (last === undefined || isRegularFile(last)))
    return allowed((opened) => {
      if (!isRegularFile(opened)) throw withholding(device, 'its path leads to a block device now');
    });
  if (last === undefined)
    return withheld(device, 'it was never open, and its path alone says which device it is');
  if (last.bootId !== boot) {
    const known = backing.kind === 'block' && backing.expected.diskseq !== undefined;
    const what = known ? 'its path and a diskseq of the boot before say' : 'its path alone says';
    return withheld(device, `the machine was started anew, and ${what} which device it is`);
  }
  const other = whatIsElse(backing.path, last);
  if (other !== undefined) return withheld(device, other);
  return allowed((opened) => {
    if (!identityEquals(last, opened)) throw withholding(device, difference(last, opened));
  });
}

/** Whether the definition tells something that is true in this boot, and compared on the open descriptor. */
function isKnown({ expected }: BlockBacking, boot: BootId): boolean {
  const { diskseq, diskseqBootId, ...lasting } = expected;
  if (diskseq !== undefined) return diskseqBootId === boot;
  return Object.keys(lasting).length > 0;
}

/** Looks before the attachment that is lost gives way to a new one; what is there at the attach is compared again. */
function whatIsElse(path: string, last: DeviceIdentity): string | undefined {
  try {
    using fd = openDevice(path, { readOnly: true });
    const opened = recordedIdentity(identifyDevice(fd.number));
    return identityEquals(last, opened) ? undefined : difference(last, opened);
  } catch (error) {
    return messageOf(error);
  }
}

function isRegularFile({ inode }: DeviceIdentity): boolean {
  return inode !== 0n;
}

function difference(last: DeviceIdentity, opened: DeviceIdentity): string {
  return `its path leads to ${nameOf(opened)} now, and it was ${nameOf(last)}`;
}

function nameOf({ major, minor, inode, diskseq }: DeviceIdentity): string {
  if (inode !== 0n) return `the file ${String(major)}:${String(minor)} inode ${String(inode)}`;
  const sequence = diskseq === undefined ? '' : ` with diskseq ${formatDiskseq(diskseq)}`;
  return `the block device ${String(major)}:${String(minor)}${sequence}`;
}

function allowed(check: DeviceCheck): ReattachmentVerdict {
  return { kind: 'allowed', check };
}

function withheld(device: DeviceRecord, why: string): ReattachmentVerdict {
  return { kind: 'withheld', why: withholding(device, why) };
}

function withholding({ id }: DeviceRecord, why: string): HoldfastError {
  return new HoldfastError(
    'REATTACHMENT_WITHHELD',
    `"${id}" is not attached again by itself: ${why}; when it is the device meant, attach it by: holdfast device attach ${id}`,
    { device: id },
  );
}
