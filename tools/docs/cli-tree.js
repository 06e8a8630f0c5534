/** The commands of the command line, as their own --help tells. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from './places.js';

/** @import { CliCommand } from './types.js' */

const run = promisify(execFile);
const program = path.join(root, 'apps/holdfast/bin/holdfast.js');

/**
 * Asks a command for its help, and then the commands below it.
 *
 * @param {readonly string[]} words
 * @returns {Promise<CliCommand>}
 */
export async function readCommand(words = []) {
  const { stdout } = await run(process.execPath, [program, ...words, '--help'], { timeout: 30_000 });
  const names = entries(stdout, 'Commands')
    .map(([name]) => name)
    .filter((name) => name !== 'help');
  return {
    words,
    help: stdout.trimEnd(),
    options: entries(stdout, 'Options').flatMap((flags) => flags.filter((flag) => flag.startsWith('-'))),
    subcommands: await Promise.all(names.map((name) => readCommand([...words, name]))),
  };
}

/**
 * The words at the begin of each entry under a heading of a help text: a command's name, an option's flags.
 *
 * @param {string} help
 * @param {string} heading
 * @returns {[string, ...string[]][]}
 */
function entries(help, heading) {
  const [, section = ''] = help.split(`\n${heading}:\n`);
  const [body = ''] = section.split('\n\n');
  return [...body.matchAll(/^ {2}(\S.*?)(?: {2}|$)/gm)].map(([, term = '']) => {
    const [first = '', ...rest] = term.split(/[ ,]+/);
    return [first, ...rest];
  });
}

/**
 * @param {CliCommand} command
 * @returns {CliCommand[]} the command and all below it, in their order
 */
export function flatten(command) {
  return [command, ...command.subcommands.flatMap(flatten)];
}
