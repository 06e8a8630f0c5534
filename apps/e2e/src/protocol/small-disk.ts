import { spawnSync } from 'node:child_process';
import { rmdirSync } from 'node:fs';
import { atEnd } from '../support/cleanup.js';
import { isRoot, requirement } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';

/** A folder on a file system of its own that holds no more than `bytes`; undefined where none may be mounted. */
export function smallDisk(bytes: number): string | undefined {
  const folder = scratchFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${String(bytes)}`, 'holdfast-e2e', folder]);
  if (mounted.status !== 0) return undefined;
  atEnd(() => {
    unmount(folder);
  });
  return folder;
}

/** What {@link smallDisk} needs. */
export function mountingRights() {
  return requirement({ root: isRoot, 'a system that lets it mount': isRoot && canMount() });
}

function canMount(): boolean {
  const folder = scratchFolder();
  if (spawnSync('mount', ['-t', 'tmpfs', 'holdfast-e2e', folder]).status !== 0) return false;
  unmount(folder);
  rmdirSync(folder);
  return true;
}

function unmount(folder: string): void {
  // Lazily: whoever still has a file open there must not keep it.
  spawnSync('umount', ['--lazy', folder]);
}
