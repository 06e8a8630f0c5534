import { execFileSync } from 'node:child_process';
import { LoopDevice } from '@holdfast/linux/testing/loop-device';
import { onTestFinished } from 'vitest';

/** A loop device that somebody else made over a file; it is detached after the test. @returns its path */
export function makeLoop(file: string): string {
  const { path } = new LoopDevice(file);
  onTestFinished(() => {
    execFileSync('losetup', ['--detach', path]);
  });
  return path;
}
