import { existsSync } from 'node:fs';
import path from 'node:path';
import { repository } from './holdfast-program.js';
import { isRoot, requirement } from './requirements.js';

/** Runs a program of a newer Debian, with this machine's /tmp and network: `tools/newer-clients nbdinfo URI`. */
export const newerClients = path.join(repository, 'tools/newer-clients');

/** Where that has installed them; there as a whole or not at all. */
const folder = process.env['HOLDFAST_NEWER_CLIENTS'] ?? '/var/cache/holdfast/newer-clients';

/** libnbd 1.22 and QEMU 10, which know extended headers. */
export const requireNewerClients = requirement({
  root: isRoot,
  'what tools/newer-clients installs': existsSync(folder),
});
