import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { checkResourceId, HoldfastError } from '@holdfast/foundation';

/** An image to serve: exported under its file name. */
export interface Image {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * Checks every image before anything is started.
 *
 * @throws HoldfastError naming the image and what to do
 */
export function checkImages(paths: readonly string[], readOnly: boolean): Image[] {
  const images = paths.map((given) => checkImage(given, readOnly));
  const seen = new Map<string, string>();
  for (const { name, path: location } of images) {
    const other = seen.get(name);
    if (other !== undefined) {
      throw new HoldfastError(
        'INVALID_ARGUMENT',
        `${other} and ${location} would both be exported as "${name}"; rename one`,
      );
    }
    seen.set(name, location);
  }
  return images;
}

function checkImage(given: string, readOnly: boolean): Image {
  const location = path.resolve(given);
  const entry = statSync(location, { throwIfNoEntry: false });
  if (entry === undefined) {
    throw new HoldfastError('DEVICE_OPEN_FAILED', `${given} does not exist`, { path: location });
  }
  if (!entry.isFile() && !entry.isBlockDevice()) {
    throw new HoldfastError('DEVICE_UNSUITABLE', `${given} is neither an image file nor a block device`, {
      path: location,
    });
  }
  checkAccess(given, location, constants.R_OK, 'cannot be read; check its permissions');
  if (!readOnly) {
    checkAccess(
      given,
      location,
      constants.W_OK,
      'cannot be written; serve it with --read-only, or check its permissions',
    );
  }
  return { name: checkResourceId(path.basename(location), `the name of ${given}`), path: location };
}

function checkAccess(given: string, location: string, mode: number, problem: string): void {
  try {
    accessSync(location, mode);
  } catch (error) {
    throw new HoldfastError('DEVICE_OPEN_FAILED', `${given} ${problem}`, { path: location }, error);
  }
}
