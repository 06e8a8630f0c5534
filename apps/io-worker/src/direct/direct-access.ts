import { directAlignment, usesDirectIo, type DirectAlignment } from '@holdfast/linux';
import { BLOCK_LOCK_BYTES } from './block-lock.js';

/** How a device is read and written past the page cache. All of its sessions, on all threads, have the same. */
export interface DirectAccess {
  readonly alignment: DirectAlignment;
  /** Of the device's `BlockLock`. */
  readonly lock: SharedArrayBuffer;
}

/** The open file says itself how it was opened. @returns undefined for one that is used through the page cache */
export function directAccessTo(fd: number): DirectAccess | undefined {
  if (!usesDirectIo(fd)) return undefined;
  return { alignment: directAlignment(fd), lock: new SharedArrayBuffer(BLOCK_LOCK_BYTES) };
}
