import { accessSync, constants, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { checkResourceId, HoldfastError, messageOf } from '@holdfast/foundation';

/** An image to serve: exported under its file name. */
export interface Image {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/** An image that may be served, and what tells whether another is the same. */
interface Checked extends Image {
  /** As the user wrote it. */
  readonly given: string;
  /** File system and inode of a file, device number of a block device. */
  readonly identity: string;
}

/**
 * Checks every image before anything is started.
 *
 * @throws HoldfastError naming the image and what to do
 */
export function checkImages(paths: readonly string[], readOnly: boolean): Image[] {
  const images = paths.map((given) => checkImage(given, readOnly));
  for (const [at, image] of images.entries()) {
    for (const earlier of images.slice(0, at)) refuseTwo(earlier, image);
  }
  return images.map(({ name, path: location }) => ({ name, path: location }));
}

/** One image cannot be attached twice, and one name cannot mean two images. */
function refuseTwo(earlier: Checked, later: Checked): void {
  if (earlier.path === later.path) {
    throw new HoldfastError('INVALID_ARGUMENT', `${later.given} is given twice; give it once`);
  }
  if (earlier.identity === later.identity) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `${earlier.given} and ${later.given} are the same image; give it once`,
    );
  }
  if (earlier.name === later.name) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `${earlier.given} and ${later.given} would both be exported as "${later.name}"; rename one, or serve one of them and add the other by \`holdfast device add\` under another name`,
    );
  }
}

function checkImage(given: string, readOnly: boolean): Checked {
  const location = path.resolve(given);
  const entry = lookAt(given, location);
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
  return {
    name: checkResourceId(path.basename(location), `the name of ${given}`),
    path: location,
    given,
    identity: entry.isFile() ? `${String(entry.dev)}:${String(entry.ino)}` : `block ${String(entry.rdev)}`,
  };
}

function lookAt(given: string, location: string): Stats {
  try {
    return statSync(location);
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const problem = absent ? 'does not exist' : `cannot be used: ${messageOf(error)}`;
    throw new HoldfastError('DEVICE_OPEN_FAILED', `${given} ${problem}`, { path: location }, error);
  }
}

function checkAccess(given: string, location: string, mode: number, problem: string): void {
  try {
    accessSync(location, mode);
  } catch (error) {
    throw new HoldfastError('DEVICE_OPEN_FAILED', `${given} ${problem}`, { path: location }, error);
  }
}
