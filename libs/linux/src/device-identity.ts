import { fstatSync, readFileSync } from 'node:fs';
import { byteCount, HoldfastError, type BootId, type ByteCount, type Diskseq } from '@holdfast/foundation';
import { checked } from './errno.js';
import { declareVariadic, resultOrErrno } from './libc.js';
import { NativeBuffer } from './native-buffer.js';

const ioctl = declareVariadic('int ioctl(int fd, unsigned long request, ...)');

// <linux/fs.h>; _IOR numbers are the same on x86-64 and aarch64.
const BLKROGET = 0x125e;
const BLKGETSIZE64 = 0x8008_1272;
const BLKGETDISKSEQ = 0x8008_1280;

const answer = NativeBuffer.allocate(8);

/** Which device an open descriptor is, as the kernel tells it. Valid for one boot (D5). */
export interface DeviceIdentity {
  readonly kind: 'file' | 'block';
  readonly bootId: BootId;
  /** Of the block device itself, or of the file system that holds the file. */
  readonly major: number;
  readonly minor: number;
  /** 0n for a block device. */
  readonly inode: bigint;
  /** Undefined for a file. A partition reports its whole disk's. */
  readonly diskseq: Diskseq | undefined;
  readonly sizeBytes: ByteCount;
}

let knownBootId: BootId | undefined;

/** `/proc/sys/kernel/random/boot_id` (proc_sys_kernel(5)), a UUID that changes with every boot. */
export function bootId(): BootId {
  knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() as BootId;
  return knownBootId;
}

function ask64(fd: number, name: string, request: number): bigint {
  checked(name, resultOrErrno(ioctl(fd, request, 'size_t', answer.address)), fd);
  return answer.view.getBigUint64(0, true);
}

/** Major and minor number out of glibc's dev_t, makedev(3). */
export function splitDevice(device: bigint): { major: number; minor: number } {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xffff_f000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffff_ff00n)),
  };
}

/**
 * Reads the identity on the open descriptor and nowhere else (D4, D6): no path is looked at.
 *
 * @param fd an open regular file or block device; for a block device on Linux 5.15 or later
 * @throws HoldfastError DEVICE_UNSUITABLE when it is neither
 * @throws SystemCallError when the kernel cannot tell, ENOTTY from BLKGETDISKSEQ before 5.15
 */
export function identifyDevice(fd: number): DeviceIdentity {
  const stat = fstatSync(fd, { bigint: true });
  if (stat.isFile()) {
    return {
      kind: 'file',
      bootId: bootId(),
      ...splitDevice(stat.dev),
      inode: stat.ino,
      diskseq: undefined,
      sizeBytes: byteCount(stat.size),
    };
  }
  if (!stat.isBlockDevice()) {
    throw new HoldfastError(
      'DEVICE_UNSUITABLE',
      `file descriptor ${fd} is neither a regular file nor a block device`,
    );
  }
  return {
    kind: 'block',
    bootId: bootId(),
    ...splitDevice(stat.rdev),
    inode: 0n,
    diskseq: ask64(fd, 'ioctl BLKGETDISKSEQ', BLKGETDISKSEQ) as Diskseq,
    sizeBytes: byteCount(ask64(fd, 'ioctl BLKGETSIZE64', BLKGETSIZE64)),
  };
}

/** Size of an open regular file or block device as it is now. @throws SystemCallError */
export function deviceSize(fd: number): ByteCount {
  const stat = fstatSync(fd);
  return byteCount(stat.isFile() ? stat.size : ask64(fd, 'ioctl BLKGETSIZE64', BLKGETSIZE64));
}

/** Whether two identities name one device. Sizes may differ: a device may grow and stay itself. */
export function sameDevice(a: DeviceIdentity, b: DeviceIdentity): boolean {
  return (
    a.kind === b.kind &&
    a.bootId === b.bootId &&
    a.major === b.major &&
    a.minor === b.minor &&
    a.inode === b.inode &&
    a.diskseq === b.diskseq
  );
}

/** Whether the kernel refuses writes to an open block device (BLKROGET). @throws SystemCallError */
export function isReadOnlyBlock(fd: number): boolean {
  checked('ioctl BLKROGET', resultOrErrno(ioctl(fd, BLKROGET, 'size_t', answer.address)), fd);
  return answer.view.getInt32(0, true) !== 0;
}
