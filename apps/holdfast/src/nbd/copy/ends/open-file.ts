import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { identifyDevice, lockDevice, openDevice, type DeviceIdentity, type OwnedFd } from '@holdfast/linux';

/** A regular file or a block device, locked against those who must not use it at the same time. */
export interface OpenFile {
  readonly name: string;
  /** Closing it ends the lock. */
  readonly fd: OwnedFd;
  readonly identity: DeviceIdentity;
  /** It was made to be copied to. */
  readonly isNew: boolean;
}

/**
 * Opens a file or a block device to copy from; nobody writes to it from now on.
 *
 * @throws HoldfastError DEVICE_OPEN_FAILED, DEVICE_UNSUITABLE or DEVICE_LOCKED
 */
export function openSourceFile(location: string): OpenFile {
  return openLocked(location, { readOnly: true, isNew: false });
}

/**
 * Opens a file or a block device to copy to, which nobody else uses from now on. A file that is not there is made; what
 * is there is left as it is.
 */
export function openDestinationFile(location: string): OpenFile {
  const isNew = !existsSync(location);
  if (isNew) makeFile(location);
  return openLocked(location, { readOnly: false, isNew });
}

/** Makes a file as long as the source, and all zeroes unless its content is kept. A block device stays as it is. */
export function fitToSource({ fd, identity }: OpenFile, sizeBytes: bigint, keepContent: boolean): void {
  if (identity.kind === 'block') return;
  if (!keepContent) ftruncateSync(fd.number, 0);
  ftruncateSync(fd.number, Number(sizeBytes));
}

/** Closes a file to which nothing was copied, and removes it if it was made for that. */
export function letGoOfFile({ name, fd, isNew }: OpenFile): void {
  if (isNew) rmSync(name, { force: true });
  fd.close();
}

function openLocked(
  location: string,
  { readOnly, isNew }: { readonly readOnly: boolean; readonly isNew: boolean },
): OpenFile {
  using opened = openDevice(location, { readOnly });
  const identity = identifyDevice(opened.number);
  const { fd } = lockDevice(opened, location, { readOnly });
  return { name: location, fd, identity, isNew };
}

/** The name of a new file is on stable storage too: without it the content would be lost. */
function makeFile(location: string): void {
  try {
    closeSync(openSync(location, 'wx'));
    const folder = openSync(path.dirname(path.resolve(location)), 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    throw new HoldfastError(
      'DEVICE_OPEN_FAILED',
      `the file ${JSON.stringify(location)} could not be made: ${messageOf(error)}`,
      { path: location },
      error,
    );
  }
}
