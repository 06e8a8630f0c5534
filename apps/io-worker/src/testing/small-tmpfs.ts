import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** Mounts a tmpfs of this size, gone after the test; tmpfs can punch holes, but not zero a range in place. */
export function smallTmpfs(bytes: number): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-tmpfs-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(bytes)}`, 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
    rmdirSync(folder);
  });
  return folder;
}

/** Why a tmpfs cannot be mounted here; undefined when it can. */
export function tmpfsUnavailable(): string | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-tmpfs-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4096', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return undefined;
  } catch {
    return 'needs root, to mount a tmpfs';
  } finally {
    rmdirSync(folder);
  }
}
