import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { onTestFinished } from 'vitest';

/** Opens a loop device over a file; it is gone after the test. */
export function openLoop(file: string): number {
  const device = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim();
  const fd = openSync(device, 'r+');
  onTestFinished(() => {
    closeSync(fd);
    execFileSync('losetup', ['--detach', device]);
  });
  return fd;
}
