import { checked, Errno } from '../errno.js';
import { declare, declareVariadic, resultOrErrno } from '../libc.js';
import { NativeBuffer } from '../native-buffer.js';
import {
  LOOP_CONFIG_BYTES,
  LOOP_INFO_BYTES,
  readLoopInfo,
  writeLoopConfig,
  type LoopConfig,
  type LoopInfo,
} from './loop-info.js';

/* The calls of loop(4), and the lock that keeps udev off a device while it changes. */

const ioctl = declareVariadic('int ioctl(int fd, unsigned long request, ...)');
const flock = declare<[fd: number, operation: number]>('int flock(int fd, int operation)');

const LOOP_GET_STATUS64 = 0x4c05;
const LOOP_CONFIGURE = 0x4c0a;
const LOOP_CTL_GET_FREE = 0x4c82;
const BLKSSZGET = 0x1268;

const LOCK_EX = 2;
const LOCK_NB = 4;

const config = NativeBuffer.allocate(LOOP_CONFIG_BYTES);
const info = NativeBuffer.allocate(LOOP_INFO_BYTES);
const answer = NativeBuffer.allocate(8);

/**
 * The number of a device that is free, made if there was none. It is not reserved: somebody else may take it.
 *
 * @param control /dev/loop-control
 * @throws SystemCallError
 */
export function freeLoopNumber(control: number): number {
  return checked('ioctl LOOP_CTL_GET_FREE', resultOrErrno(ioctl(control, LOOP_CTL_GET_FREE, 'int', 0)));
}

/** Binds an unbound device, all settings at once (Linux 5.8). @returns 0, or a negative errno */
export function configureLoop(loop: number, wanted: LoopConfig): number {
  writeLoopConfig(config, wanted);
  return resultOrErrno(ioctl(loop, LOOP_CONFIGURE, 'size_t', config.address));
}

/** What a device is bound to; undefined when it is not bound. @throws SystemCallError */
export function loopInfo(loop: number): LoopInfo | undefined {
  const result = resultOrErrno(ioctl(loop, LOOP_GET_STATUS64, 'size_t', info.address));
  if (result === -Errno.ENXIO) return undefined;
  checked('ioctl LOOP_GET_STATUS64', result, loop);
  return readLoopInfo(info);
}

/** Bytes of a logical block of an open block device (BLKSSZGET). @throws SystemCallError */
export function logicalBlockSize(fd: number): number {
  checked('ioctl BLKSSZGET', resultOrErrno(ioctl(fd, BLKSSZGET, 'size_t', answer.address)), fd);
  return answer.view.getInt32(0, true);
}

/** Takes flock(2) for itself without waiting. @returns false while somebody else has it @throws SystemCallError */
export function tryLockWhole(fd: number): boolean {
  for (;;) {
    const result = resultOrErrno(flock(fd, LOCK_EX | LOCK_NB));
    if (result === -Errno.EAGAIN) return false;
    if (result !== -Errno.EINTR) return checked('flock', result, fd) === 0;
  }
}
