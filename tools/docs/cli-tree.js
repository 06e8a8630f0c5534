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
 * @param {readonly string[]} words `['device', 'attach']`; none for `holdfast` itself
 * @returns {Promise<string[]>} the help texts, each before those of the commands below it
 */
export async function readHelps(words = []) {
  const { stdout } = await run(process.execPath, [program, ...words, '--help'], { timeout: 30_000 });
  // A command that does not know itself answers with the help of the one above, which would go round for ever.
  if (wordsIn(stdout).join(' ') !== words.join(' ')) {
    throw new Error(`"holdfast ${words.join(' ')} --help" answers with the help of another command`);
  }
  const below = await Promise.all(subcommandsIn(stdout).map((name) => readHelps([...words, name])));
  return [stdout.trimEnd(), ...below.flat()];
}

/**
 * The commands that help texts tell of.
 *
 * @param {readonly string[]} helps
 * @returns {CliCommand} `holdfast`
 */
export function treeOf(helps) {
  const byName = new Map(helps.map((help) => [wordsIn(help).join(' '), help]));
  /** @type {(words: readonly string[]) => CliCommand} */
  const commandOf = (words) => {
    const help = byName.get(words.join(' '));
    if (help === undefined) throw new Error(`there is no help of "holdfast ${words.join(' ')}"`);
    return {
      words,
      options: entries(help, 'Options').flatMap((flags) => flags.filter((flag) => flag.startsWith('-'))),
      subcommands: subcommandsIn(help).map((name) => commandOf([...words, name])),
    };
  };
  return commandOf([]);
}

/**
 * The words that make the command whose help this is: `['device', 'attach']`.
 *
 * @param {string} help
 */
export function wordsIn(help) {
  const usage = /^Usage: holdfast ?(.*)$/m.exec(help)?.[1] ?? '';
  return (
    usage
      .split(/ ?[[<]/)[0]
      ?.split(' ')
      .filter((word) => word !== '') ?? []
  );
}

/** @param {string} help */
function subcommandsIn(help) {
  return entries(help, 'Commands').flatMap(([name]) => (name === undefined || name === 'help' ? [] : [name]));
}

/**
 * The words at the begin of each entry under a heading of a help text: a command's name, an option's flags.
 *
 * @param {string} help
 * @param {string} heading
 */
function entries(help, heading) {
  const [, section = ''] = help.split(`\n${heading}:\n`);
  const [body = ''] = section.split('\n\n');
  return [...body.matchAll(/^ {2}(\S.*?)(?: {2}|$)/gm)].map(([, term = '']) => term.split(/[ ,]+/));
}
