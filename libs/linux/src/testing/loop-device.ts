import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

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

/** A loop device over a file; `using` detaches it. */
export class LoopDevice implements Disposable {
  readonly path: string;

  /** @param device which one to take, a free one if it is not given */
  constructor(file: string, { device, readOnly = false }: { device?: string; readOnly?: boolean } = {}) {
    const mode = readOnly ? ['--read-only'] : [];
    if (device === undefined) {
      this.path = execFileSync('losetup', [...mode, '--find', '--show', file], { encoding: 'utf8' }).trim();
    } else {
      execFileSync('losetup', [...mode, device, file]);
      this.path = device;
    }
  }

  [Symbol.dispose](): void {
    execFileSync('losetup', ['--detach', this.path]);
  }
}
