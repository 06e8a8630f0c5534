import { readFileSync } from 'node:fs';

/** What sysfs tells of a block device beside its numbers; undefined where there is none. */
export interface BlockFacts {
  /** Name and UUID of a device-mapper device. */
  readonly dmName: string | undefined;
  readonly dmUuid: string | undefined;
  /** World Wide Name as the kernel writes it: `naa.5000c500a1b2c3d4`, `eui.0025385b71b0a1f2`. */
  readonly wwn: string | undefined;
  readonly serial: string | undefined;
}

/** VPD page 80h: four bytes before the serial number (SPC-4, 7.8.14). */
const VPD_HEADER_BYTES = 4;

/**
 * Reads the facts of a block device by its numbers. They are the numbers of a descriptor that is open, so no other
 * device can have them meanwhile (D9).
 *
 * @param sysfs where sysfs is mounted
 */
export function readBlockFacts(
  { major, minor }: { readonly major: number; readonly minor: number },
  sysfs = '/sys',
): BlockFacts {
  const folder = `${sysfs}/dev/block/${major}:${minor}`;
  const first = (...names: string[]) => names.map((name) => told(contents(`${folder}/${name}`))).find(isTold);
  return {
    dmName: first('dm/name'),
    dmUuid: first('dm/uuid'),
    // NVMe, SCSI; a partition's are its disk's.
    wwn: first('wwid', 'device/wwid', '../wwid', '../device/wwid'),
    // virtio, NVMe; SCSI.
    serial:
      first('serial', 'device/serial', '../serial', '../device/serial') ??
      scsiSerial(`${folder}/device/vpd_pg80`) ??
      scsiSerial(`${folder}/../device/vpd_pg80`),
  };
}

/** Whether what somebody wrote names the World Wide Name of a device: as the kernel, lsblk or udev write it. */
export function sameWwn(one: string, other: string): boolean {
  const bare = (wwn: string) =>
    wwn.toLowerCase().replace(/^(wwn-)?(0x|naa\.|eui\.|nvme\.|uuid\.|t10\.)?/, '');
  return bare(one) === bare(other);
}

function scsiSerial(file: string): string | undefined {
  return told(contents(file)?.subarray(VPD_HEADER_BYTES));
}

function told(bytes: Buffer | undefined): string | undefined {
  const text = bytes?.toString('latin1').trim();
  return text === '' ? undefined : text;
}

function isTold(text: string | undefined): text is string {
  return text !== undefined;
}

function contents(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    // There is none for this kind of device.
    return undefined;
  }
}
