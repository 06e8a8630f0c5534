import { existsSync } from 'node:fs';
import path from 'node:path';
import { start, type Running } from './command.js';
import { repository } from './holdfast-program.js';
import { isRoot, requirement } from './requirements.js';

const script =
  process.env['HOLDFAST_KERNEL_NBD'] ?? path.resolve(repository, '../shared/tools/kernel-nbd/run.sh');

export const kernelMachineNeeds = {
  root: isRoot,
  'the script that HOLDFAST_KERNEL_NBD names': existsSync(script),
};

export const needsKernelMachine = requirement(kernelMachineNeeds);

/** The first run on a machine installs and downloads. */
export const KERNEL_MACHINE_MS = 300_000;

/**
 * Boots a virtual machine whose kernel attaches to an NBD server here; one at a time, because the first makes what the
 * others boot.
 *
 * @param args `-p PORT -n EXPORT`, `-x OPTIONS` for nbd-client, `-s FILE` for what it does
 */
export function startKernelMachine(args: readonly string[]): Running {
  return start('flock', ['/run/lock/holdfast-kernel-machine', 'bash', script, ...args], {
    timeoutMs: KERNEL_MACHINE_MS,
  });
}
