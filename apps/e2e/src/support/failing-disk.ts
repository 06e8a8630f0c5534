import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { atEnd } from './cleanup.js';
import { start } from './command.js';
import { eventually } from './eventually.js';
import { hasCommand, requirement, type Requirement } from './requirements.js';
import { scratchFolder } from './scratch-folder.js';

/** nbdkit makes a disk that fails when it is told to, and nbdfuse a file of it. */
export const requireFailingDisk: Requirement = requirement({
  nbdkit: hasCommand('nbdkit'),
  'its error filter': spawnSync('nbdkit', ['--filter=error', 'memory', '--version']).status === 0,
  nbdfuse: hasCommand('nbdfuse'),
  '/dev/fuse': mayMount(),
});

/** What may be told to fail. */
const acts = { reads: ['pread'], writes: ['pwrite', 'zero', 'trim'] } as const;
export type Act = keyof typeof acts;

/** A file whose reads and writes fail with an error that the kernel itself reports, for as long as they are told to. */
export class FailingDisk {
  private constructor(
    readonly file: string,
    private readonly folder: string,
  ) {}

  static async make(bytes: number, error: 'EIO' | 'ENOSPC'): Promise<FailingDisk> {
    const folder = scratchFolder();
    const socket = path.join(folder, 'nbdkit');
    const file = path.join(folder, 'disk.img');
    const triggers = Object.entries(acts).flatMap(([act, calls]) =>
      calls.flatMap((call) => [
        `error-${call}-rate=100%`,
        `error-${call}-file=${path.join(folder, `fail-${act}`)}`,
      ]),
    );
    const size = `size=${String(bytes)}`;
    const lifeMs = 600_000;
    start(
      'nbdkit',
      ['-f', '--log=null', '-U', socket, '--filter=error', 'memory', size, `error=${error}`, ...triggers],
      { timeoutMs: lifeMs },
    );
    await eventually('nbdkit to listen', () => existsSync(socket));
    writeFileSync(file, '');
    start('nbdfuse', [file, '--unix', socket], { timeoutMs: lifeMs });
    atEnd(() => {
      // Lazily: whoever still has it open must not keep it.
      spawnSync('umount', ['--lazy', file]);
    });
    await eventually('nbdfuse to mount its file', () => statSync(file).size === bytes);
    return new FailingDisk(file, folder);
  }

  fail(act: Act): void {
    writeFileSync(this.#trigger(act), '');
  }

  /** Everything succeeds again. */
  heal(): void {
    for (const act of Object.keys(acts)) rmSync(this.#trigger(act as Act), { force: true });
  }

  #trigger(act: Act): string {
    return path.join(this.folder, `fail-${act}`);
  }
}

function mayMount(): boolean {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
