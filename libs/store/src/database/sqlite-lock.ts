import { realpathSync } from 'node:fs';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { listHolders, lockFile, lockHolders, type OwnedFd } from '@holdfast/linux';
import { databaseLocked, type DatabaseLock } from './database-lock.js';
import { makePrivate } from './private-file.js';

/**
 * Takes the lock file beside a SQLite database. Not a lock on the database itself: SQLite has its own there, and
 * closing any descriptor of that file would give those up (fcntl(2)). The kernel ends it with its holder, so it is
 * never lost, and nothing of it outlives a `kill -9`.
 *
 * @throws HoldfastError DATABASE_LOCKED naming the holder; DATABASE_FAILED where no lock file can be made
 */
export function takeSqliteLock(file: string, owner: string): DatabaseLock {
  makePrivate(file);
  // One lock for one database, whatever links lead to it.
  const path = `${realpathSync(file)}.lock`;
  const held = lockOrExplain(path);
  if (held === undefined) throw databaseLocked(file, owner, listHolders(lockHolders(path)));
  return {
    requireHeld: () => undefined,
    watch: () => undefined,
    close: () => {
      held.close();
      return Promise.resolve();
    },
  };
}

function lockOrExplain(path: string): OwnedFd | undefined {
  try {
    return lockFile(path);
  } catch (error) {
    const message = `The lock beside the database cannot be taken: ${messageOf(error)}`;
    throw new HoldfastError('DATABASE_FAILED', message, { path }, error);
  }
}
