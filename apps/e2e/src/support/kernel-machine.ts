import { existsSync } from 'node:fs';
import path from 'node:path';
import { repository } from './holdfast-program.js';
import { isRoot, requirement } from './requirements.js';

/**
 * Boots a virtual machine whose kernel attaches to an NBD server here: `-p PORT -n EXPORT`, `-x OPTIONS` for nbd-client,
 * `-s FILE` for what it does.
 */
export const kernelMachine =
  process.env['HOLDFAST_KERNEL_NBD'] ?? path.resolve(repository, '../shared/tools/kernel-nbd/run.sh');

export const kernelMachineNeeds = {
  root: isRoot,
  'the script that HOLDFAST_KERNEL_NBD names': existsSync(kernelMachine),
};

export const needsKernelMachine = requirement(kernelMachineNeeds);

/** The first run on a machine installs and downloads. */
export const KERNEL_MACHINE_MS = 300_000;
