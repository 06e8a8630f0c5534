import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { holdfastProgram, repository } from '../support/holdfast-program.js';
import { scratchFolder } from '../support/scratch-folder.js';

/** Where the hooks are. */
export const hooks = path.join(repository, 'tools/hooks');

/** The environment in which hooks find an instance: what /etc/default/holdfast tells them on a real machine. */
export function hookEnvironment(
  state: string,
  more: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  const folder = scratchFolder();
  const file = path.join(folder, 'default');
  const settings = {
    HOLDFAST: holdfastProgram,
    HOLDFAST_STATE: state,
    HOLDFAST_RUN: path.join(folder, 'run'),
    HOLDFAST_DETACH_DEADLINE: '1',
    ...more,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(file, lines.join(''));
  return { HOLDFAST_CONFIG: file };
}
