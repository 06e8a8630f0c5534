import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { atEnd } from '../support/cleanup.js';
import { requirement } from '../support/requirements.js';

const SHARED_MEMORY = '/dev/shm';
const TMPFS_MAGIC = 0x0102_1994;

/** A tmpfs cannot zero a range in place (EOPNOTSUPP): there the worker has to write the zeroes, which takes its time. */
export const onTmpfs = requirement({ 'a tmpfs': isTmpfs() });

/** A folder on a tmpfs, removed at the end of the test file. */
export function sharedMemoryFolder(): string {
  const folder = mkdtempSync(`${SHARED_MEMORY}/holdfast-e2e-`);
  atEnd(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

function isTmpfs(): boolean {
  try {
    return statfsSync(SHARED_MEMORY).type === TMPFS_MAGIC;
  } catch {
    return false;
  }
}
