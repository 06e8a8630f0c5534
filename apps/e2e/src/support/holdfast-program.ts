import path from 'node:path';
import { run, type Finished } from './command.js';

/** Works from the sources and from dist alike: both are three folders below the repository. */
export const repository = path.resolve(import.meta.dirname, '../../../..');

export const holdfastProgram = path.join(repository, 'apps/holdfast/bin/holdfast.js');

/** Runs the command line to its end. */
export function runHoldfast(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return run(process.execPath, [holdfastProgram, ...args], { env });
}
