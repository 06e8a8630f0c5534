import { spawnSync } from 'node:child_process';
import { succeed, type CommandOptions, type Finished } from './command.js';
import { hasCommand, requirement, type Requirement } from './requirements.js';

/** Debian's python3-libnbd belongs to Debian's python3, whatever other python3 comes first in PATH. */
const env = { PATH: `/usr/bin:/bin:${process.env['PATH'] ?? ''}` };

/** nbdsh with its Python module. */
export const requireNbdsh: Requirement = requirement({
  nbdsh:
    hasCommand('nbdsh') &&
    spawnSync('nbdsh', ['-c', 'pass'], { env: { ...process.env, ...env } }).status === 0,
});

/** Connects nbdsh to a URI and runs a script, in which `h` is the connection; an exception is a failure. */
export function nbdsh(uri: string, script: string, options?: CommandOptions): Promise<Finished> {
  // The files of a URI, for TLS, have to be allowed before it is used; a JSON string is one of Python's too.
  const connect = `h.set_uri_allow_local_file(True)\nh.connect_uri(${JSON.stringify(uri)})`;
  return succeed('nbdsh', ['-c', connect, '-c', script], { ...options, env });
}

/** Runs a script in which `h` is not connected yet. */
export function runNbdsh(script: string, options?: CommandOptions): Promise<Finished> {
  return succeed('nbdsh', ['-c', script], { ...options, env });
}
