import { HoldfastError } from '@holdfast/foundation';

/** The right of one process to the records, for as long as it has the database open. */
export interface DatabaseLock {
  /**
   * @throws HoldfastError while the lock is lost: DATABASE_LOCKED when another has it, DATABASE_UNAVAILABLE while
   * nobody knows
   */
  requireHeld(): void;
  /** Tells of a lock that is lost, and taken again. That of SQLite is neither. */
  watch(watcher: LockWatcher): void;
  close(): Promise<void>;
}

export interface LockWatcher {
  /** Nothing is read or written from now on. */
  lost(reason: string): void;
  /** Held again. Another may have had it meanwhile, and the records may be others. */
  regained(): void;
}

/**
 * @param database how the user knows it
 * @param owner what kind of process has it, `device-registry`
 * @param holder which one, as far as it is known: `: holdfast device-registry (pid 12)`
 */
export function databaseLocked(database: string, owner: string, holder: string): HoldfastError {
  return new HoldfastError(
    'DATABASE_LOCKED',
    `The database ${database} is in use by another ${owner}${holder}; stop it, or give each its own by DATABASE_URL.`,
    { database },
  );
}
