import type { NativeBuffer } from '../native-buffer.js';

/** `lo_flags` of <linux/loop.h>. */
export const LoopFlag = { READ_ONLY: 1, AUTOCLEAR: 4, PARTSCAN: 8, DIRECT_IO: 16 } as const;

/** Bytes of `struct loop_info64` and of `struct loop_config`, which contains one. */
export const LOOP_INFO_BYTES = 232;
export const LOOP_CONFIG_BYTES = 304;

/** Where a `loop_info64` starts in a `loop_config`, behind `fd` and `block_size`. */
const INFO_IN_CONFIG = 8;

const At = { DEVICE: 0, INODE: 8, OFFSET: 24, SIZE_LIMIT: 32, FLAGS: 52, FILE_NAME: 56 } as const;
const NAME_BYTES = 64;

/** What LOOP_CONFIGURE is asked for. */
export interface LoopConfig {
  /** Descriptor of the backing file. The device keeps the open file, not the number. */
  readonly backing: number;
  /** Where in the file the device starts, in bytes. */
  readonly offset: number;
  /** Size of the device in bytes; 0: to the end of the file. */
  readonly sizeLimit: number;
  /** Logical block size in bytes; 0: the kernel's choice. */
  readonly blockSize: number;
  /** Any of {@link LoopFlag}. */
  readonly flags: number;
  /** Told to whoever lists loop devices; cut to 63 bytes. */
  readonly name: string;
}

/** What LOOP_GET_STATUS64 says of a device that is bound. */
export interface LoopInfo {
  /** Device number and inode of the backing file, as its stat has them. */
  readonly device: bigint;
  readonly inode: bigint;
  readonly offset: number;
  readonly sizeLimit: number;
  readonly flags: number;
}

/** Writes a `struct loop_config`; the buffer is of {@link LOOP_CONFIG_BYTES}. */
export function writeLoopConfig(buffer: NativeBuffer, config: LoopConfig): void {
  const { bytes, view } = buffer;
  bytes.fill(0);
  view.setUint32(0, config.backing, true);
  view.setUint32(4, config.blockSize, true);
  view.setBigUint64(INFO_IN_CONFIG + At.OFFSET, BigInt(config.offset), true);
  view.setBigUint64(INFO_IN_CONFIG + At.SIZE_LIMIT, BigInt(config.sizeLimit), true);
  view.setUint32(INFO_IN_CONFIG + At.FLAGS, config.flags, true);
  bytes.write(config.name, INFO_IN_CONFIG + At.FILE_NAME, NAME_BYTES - 1);
}

/** Reads a `struct loop_info64`. */
export function readLoopInfo({ view }: NativeBuffer): LoopInfo {
  return {
    device: view.getBigUint64(At.DEVICE, true),
    inode: view.getBigUint64(At.INODE, true),
    offset: Number(view.getBigUint64(At.OFFSET, true)),
    sizeLimit: Number(view.getBigUint64(At.SIZE_LIMIT, true)),
    flags: view.getUint32(At.FLAGS, true),
  };
}
