import { fstatSync } from 'node:fs';
import { HoldfastError } from '@holdfast/foundation';
import { identifyDevice, isReadOnlyBlock } from '../device-identity.js';
import type { LoopOptions } from './attach-loop.js';
import { logicalBlockSize, loopInfo } from './loop-calls.js';
import { LoopFlag } from './loop-info.js';

/** The kernel counts devices in sectors. */
const SECTOR_BYTES = 512;

/**
 * Compares a device with what was asked for: the kernel drops some settings in silence (loop(4); direct I/O for
 * one).
 *
 * @param fd the device, bound a moment ago
 * @param backing the file that it was bound to
 * @throws HoldfastError LOOP_SETTING_REFUSED naming the setting and what to do
 */
export function verifyLoop(fd: number, backing: number, wanted: LoopOptions): void {
  const info = loopInfo(fd);
  const file = fstatSync(backing, { bigint: true });
  if (info?.inode !== file.ino) throw refused('file', 'it is bound to another file; try again');
  if ((info.flags & LoopFlag.AUTOCLEAR) === 0) throw refused('autoclear', 'the kernel is too old; Linux 5.8');
  if (info.offset !== wanted.offset || info.sizeLimit !== wanted.sizeLimit) {
    throw refused('offset and size', `they are ${info.offset} and ${info.sizeLimit}`);
  }
  if (isReadOnlyBlock(fd) !== wanted.readOnly) {
    throw refused('read-only', wanted.readOnly ? 'it is writable' : 'its file cannot be written');
  }
  verifyBlockSize(fd, wanted.blockSize);
  if (wanted.directIo && (info.flags & LoopFlag.DIRECT_IO) === 0) {
    throw refused(
      'direct I/O',
      'its file system has none, or offset and block size are not multiples of its blocks; leave direct I/O out, or give a larger block size',
    );
  }
  verifySize(fd, Number(file.size), wanted);
}

function verifyBlockSize(fd: number, wanted: number): void {
  const actual = logicalBlockSize(fd);
  if (wanted !== 0 && actual !== wanted) throw refused('block size', `it is ${actual}, not ${wanted}`);
}

function verifySize(fd: number, fileSize: number, { offset, sizeLimit }: LoopOptions): void {
  const { sizeBytes } = identifyDevice(fd);
  const rest = Math.max(fileSize - offset, 0);
  const expected = sizeLimit === 0 ? rest : sizeLimit;
  if (sizeBytes === expected) return;
  if (sizeLimit > rest)
    throw refused('size', `the file has ${rest} bytes from the offset on, not ${sizeLimit}`);
  throw refused(
    'size',
    `the device has ${sizeBytes} bytes, not ${expected}: loop devices end at multiples of ${SECTOR_BYTES}; give a size that is one, or serve the file without a loop device`,
  );
}

function refused(setting: string, why: string): HoldfastError {
  return new HoldfastError(
    'LOOP_SETTING_REFUSED',
    `the loop device does not have the ${setting} asked for: ${why}`,
    {
      setting,
    },
  );
}
