import { unreachable } from '@holdfast/foundation';
import { openDevice, type OwnedFd } from '@holdfast/linux';
import type { LocalBacking } from '@holdfast/store';
import { openBlock } from './open-block.js';
import { openFile } from './open-file.js';
import { openLoop } from './open-loop.js';

/** A device that was opened a moment ago, and is not locked yet. */
export interface OpenedDevice {
  readonly fd: OwnedFd;
  /** Where it is, for people. */
  readonly path: string;
  /** Whether it was compared with what is expected of it, or cannot be another one (D2, D9). */
  readonly verified: boolean;
  /** False where the file system of its file has no locks. */
  readonly fileLocked: boolean;
}

/**
 * Opens, or makes, what a device is made from, and compares what its definition tells on the open descriptor.
 *
 * @throws HoldfastError DEVICE_OPEN_FAILED, DEVICE_UNSUITABLE, DEVICE_LOCKED, DEVICE_IDENTITY_MISMATCH,
 * LOOP_UNAVAILABLE, LOOP_SETTING_REFUSED
 */
export async function openBacking(
  backing: LocalBacking,
  { readOnly }: { readonly readOnly: boolean },
): Promise<OpenedDevice> {
  switch (backing.kind) {
    case 'file':
      return openFile(openDevice(backing.path, { readOnly }), backing.path);
    case 'loop':
      return openLoop(backing, { readOnly });
    case 'block':
      return openBlock(openDevice(backing.path, { readOnly }), backing);
    default:
      return unreachable(backing);
  }
}
