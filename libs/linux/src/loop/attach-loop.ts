import { constants, fstatSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError, type ByteCount, type ByteOffset } from '@holdfast/foundation';
import { Errno, SystemCallError } from '../errno.js';
import { openFile } from '../open-file.js';
import { OwnedFd } from '../owned-fd.js';
import { setBlocking } from '../sockets.js';
import { configureLoop, freeLoopNumber, loopInfo, tryLockWhole } from './loop-calls.js';
import { LoopFlag } from './loop-info.js';
import { hasPartitions } from './stale-partitions.js';
import { verifyLoop } from './verify-loop.js';

/** What is wanted of a loop device. */
export interface LoopOptions {
  readonly readOnly: boolean;
  /** Where in the file the device starts. */
  readonly offset: ByteOffset;
  /** Size of the device; 0: to the end of the file. */
  readonly sizeLimit: ByteCount;
  /** Logical block size in bytes, a power of two from 512; 0: the kernel's choice. */
  readonly blockSize: number;
  /** Past the page cache of the file. */
  readonly directIo: boolean;
}

/** A loop device that goes when its last descriptor is closed, wherever that is. */
export interface AttachedLoop {
  /** Blocking, close-on-exec. */
  readonly fd: OwnedFd;
  /** `/dev/loop3`: for people; by the time it is read it may be another device. */
  readonly path: string;
}

/** Why an attempt came to nothing though the next may succeed. */
type Obstacle = 'locked by another' | 'gone again' | 'taken by another' | 'left with partitions';

const CONTROL = '/dev/loop-control';

/** As systemd bounds it: whoever loses that often meets something that does not pass. */
const ATTEMPTS = 64;
/** Waiting between attempts grows to this, at random: those who collide shall not do so again. */
const WAIT_MAX_MS = 100;

/**
 * Binds a free loop device to a file, with autoclear from its first moment (D7, D14): the device is gone with its
 * last descriptor, and so is whatever was begun here if this process ends. What the kernel made of the options is
 * verified. Locks are taken in systemd's order: /dev/loop-control, then the device.
 *
 * @param backing a regular file, open for writing unless the device is to be read-only; stays with the caller, who
 * may close it: the device keeps the open file, with the locks that it has
 * @param name the file's path, for people
 * @throws HoldfastError LOOP_UNAVAILABLE when there are none here, or none was free in time; LOOP_SETTING_REFUSED
 * when the kernel does not do what was asked for
 * @throws SystemCallError
 */
export async function attachLoop(
  backing: OwnedFd,
  name: string,
  options: LoopOptions,
): Promise<AttachedLoop> {
  const obstacles = new Map<Obstacle, number>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const outcome = tryAttach(backing, name, options);
    if (typeof outcome !== 'string') return outcome;
    obstacles.set(outcome, (obstacles.get(outcome) ?? 0) + 1);
    await delay(Math.random() * Math.min(2 ** attempt, WAIT_MAX_MS));
  }
  const found = [...obstacles].map(([obstacle, times]) => `${obstacle} ${times} times`).join(', ');
  throw new HoldfastError(
    'LOOP_UNAVAILABLE',
    `no loop device could be had in ${ATTEMPTS} attempts: it was ${found}; see who uses them: losetup --list`,
  );
}

function tryAttach(backing: OwnedFd, name: string, options: LoopOptions): AttachedLoop | Obstacle {
  using control = openControl();
  if (!tryLockWhole(control.number)) return 'locked by another';
  const path = `/dev/loop${freeLoopNumber(control.number)}`;
  const mode = options.readOnly ? constants.O_RDONLY : constants.O_RDWR;
  const device = openLoop(path, mode);
  if (device === undefined) return 'gone again';
  // udev probes a device when somebody who had it open for writing closes it: the lock is on a descriptor of its
  // own, whose closing is that sign.
  using lock = openLoop(path, mode);
  const outcome = lock === undefined ? 'gone again' : bind(device, lock, path, backing, name, options);
  if (typeof outcome === 'string') device.close();
  return outcome;
}

function bind(
  device: OwnedFd,
  lock: OwnedFd,
  path: string,
  backing: OwnedFd,
  name: string,
  options: LoopOptions,
): AttachedLoop | Obstacle {
  try {
    if (!tryLockWhole(lock.number)) return 'locked by another';
    if (loopInfo(device.number) !== undefined) return 'taken by another';
    if (hasPartitions(fstatSync(device.number))) return 'left with partitions';
    const { readOnly, directIo, ...rest } = options;
    const flags =
      LoopFlag.AUTOCLEAR | (readOnly ? LoopFlag.READ_ONLY : 0) | (directIo ? LoopFlag.DIRECT_IO : 0);
    const errno = -configureLoop(device.number, { ...rest, backing: backing.number, flags, name });
    if (errno === Errno.EBUSY) return 'taken by another';
    if (errno === Errno.ENXIO || errno === Errno.ENODEV) return 'gone again';
    if (errno !== 0) throw new SystemCallError('ioctl LOOP_CONFIGURE', errno, path);
    verifyLoop(device.number, backing.number, options);
    return { fd: device, path };
  } catch (error) {
    device.close();
    throw error;
  }
}

function openControl(): OwnedFd {
  const control = openFile(CONTROL, constants.O_RDWR);
  if (control >= 0) return new OwnedFd(control);
  const cause = new SystemCallError('open', -control, CONTROL);
  throw new HoldfastError(
    'LOOP_UNAVAILABLE',
    `loop devices cannot be made here: ${cause.message}; it needs root, the kernel's module "loop", and in a container ${CONTROL}`,
    cause.metadata,
    cause,
  );
}

/** @returns undefined when there is no such device any more */
function openLoop(path: string, mode: number): OwnedFd | undefined {
  const device = openFile(path, mode | constants.O_NONBLOCK | constants.O_NOCTTY);
  if (device === -Errno.ENOENT || device === -Errno.ENXIO || device === -Errno.ENODEV) return undefined;
  if (device < 0) throw new SystemCallError('open', -device, path);
  setBlocking(device, true);
  return new OwnedFd(device);
}
