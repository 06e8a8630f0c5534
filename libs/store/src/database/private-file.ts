import { chmodSync, closeSync, openSync } from 'node:fs';
import { HoldfastError } from '@holdfast/foundation';

/** The records name every disk of the machine: they are for their owner only (Law 8). */
const FILE_MODE = 0o600;

/**
 * Makes the file of a SQLite database if it is not there, for its owner only. SQLite gives its journal the same mode.
 *
 * @throws HoldfastError INVALID_SETTING when there is no such folder; DATABASE_FAILED
 */
export function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, 'a', FILE_MODE));
    chmodSync(file, FILE_MODE);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new HoldfastError(
      error.code === 'ENOENT' || error.code === 'EISDIR' ? 'INVALID_SETTING' : 'DATABASE_FAILED',
      `The database ${file} cannot be opened: ${error.message}`,
      { path: file },
      error,
    );
  }
}
