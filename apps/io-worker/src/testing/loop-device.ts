import { execFileSync } from 'node:child_process';
import { accessSync, constants, closeSync, openSync } from 'node:fs';
import { onTestFinished } from 'vitest';

/** Why loop devices cannot be made here; undefined when they can. */
export function loopUnavailable(): string | undefined {
  try {
    accessSync('/dev/loop-control', constants.R_OK | constants.W_OK);
    execFileSync('losetup', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'needs root, losetup and /dev/loop-control';
  }
}

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
