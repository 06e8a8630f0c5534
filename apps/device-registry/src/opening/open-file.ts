import { identifyDevice, type OwnedFd } from '@holdfast/linux';
import type { OpenedDevice } from './open-backing.js';

/** Whatever a path opens. A regular file is the one meant (D9); a block device may have taken another's name. */
export function openFile(fd: OwnedFd, path: string): OpenedDevice {
  try {
    return { fd, path, verified: identifyDevice(fd.number).kind === 'file', fileLocked: true };
  } catch (error) {
    fd.close();
    throw error;
  }
}
