import { spawnSync } from 'node:child_process';
import { run, type Finished } from './command.js';
import { holdfastProgram } from './holdfast-program.js';
import { hasCommand, isRoot, requirement, type Requirement } from './requirements.js';

/** The user without rights, and no groups. */
const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];

/** Root can become nobody, and nobody can run the checkout. */
export const requireNobody: Requirement = requirement({
  root: isRoot,
  setpriv: hasCommand('setpriv'),
  'a checkout that nobody may read':
    !isRoot || spawnSync('setpriv', [...AS_NOBODY, holdfastProgram, '--version']).status === 0,
});

/** Runs the command line as nobody. */
export function runAsNobody(args: readonly string[]): Promise<Finished> {
  return run('setpriv', [...AS_NOBODY, holdfastProgram, ...args]);
}
