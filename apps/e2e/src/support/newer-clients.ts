import { existsSync } from 'node:fs';
import path from 'node:path';
import { repository } from './holdfast-program.js';
import { isRoot, requirement } from './requirements.js';

/** Runs a program of a newer Debian, with this machine's /tmp and network: `run.sh nbdinfo URI`. */
export const newerClients =
  process.env['HOLDFAST_NEWER_CLIENTS'] ?? path.resolve(repository, '../shared/tools/newer-clients/run.sh');

/** libnbd 1.22 and QEMU 10, which know extended headers. */
export const requireNewerClients = requirement({
  root: isRoot,
  'the script that HOLDFAST_NEWER_CLIENTS names': existsSync(newerClients),
});

/** The first run on a machine downloads. */
export const NEWER_CLIENTS_FIRST_RUN_MS = 300_000;
