import { byteCount, byteOffset, HoldfastError } from '@holdfast/foundation';
import { attachLoop, identifyDevice, lockDevice, openDevice } from '@holdfast/linux';
import type { LoopBacking } from '@holdfast/store';
import type { OpenedDevice } from './open-backing.js';

/**
 * Makes a loop device of a file. The file is locked first; the loop device keeps the open file, and so the lock, until
 * it goes with its own last descriptor (D7).
 */
export async function openLoop(
  { path, offset, sizeLimit, blockSize, directIo }: LoopBacking,
  { readOnly }: { readonly readOnly: boolean },
): Promise<OpenedDevice> {
  using opened = openDevice(path, { readOnly });
  if (identifyDevice(opened.number).kind !== 'file') {
    throw new HoldfastError(
      'DEVICE_UNSUITABLE',
      `"${path}" is a block device, and a loop device is made of a regular file; register it as kind "block"`,
      { path },
    );
  }
  const { fd: file, locked } = lockDevice(opened, path, { readOnly });
  using backing = file;
  const loop = await attachLoop(backing, path, {
    readOnly,
    offset: byteOffset(offset),
    sizeLimit: byteCount(sizeLimit),
    blockSize,
    directIo,
  });
  return { ...loop, verified: true, fileLocked: locked };
}
