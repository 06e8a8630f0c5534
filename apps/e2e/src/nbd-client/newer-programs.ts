import { existsSync } from 'node:fs';
import path from 'node:path';
import { repository } from '../support/holdfast-program.js';
import { isRoot, requirement } from '../support/requirements.js';
import type { Launcher } from './servers.js';

/** Runs a program of a newer distribution: `run.sh nbdinfo nbd://…`. What it needs in /tmp, it finds there. */
const script =
  process.env['HOLDFAST_NEWER_CLIENTS'] ?? path.resolve(repository, '../shared/tools/newer-clients/run.sh');

export const newerPrograms = requirement({
  root: isRoot,
  'the script that HOLDFAST_NEWER_CLIENTS names': existsSync(script),
});

export const newer: Launcher = ['bash', script];
