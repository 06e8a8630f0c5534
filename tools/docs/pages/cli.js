/** docs/reference/cli.md: the command line, in the words of its own --help. */
import { readHelps, wordsIn } from '../cli-tree.js';
import { blocks, table } from '../markdown.js';
import { built } from '../places.js';

/** @import { Page } from '../types.js' */

/** @type {Readonly<Record<string, string>>} */
const exitCodes = {
  done: 'Done. Undoing what is not there, and repeating what was done already, is done too.',
  failed: 'Failed. One sentence on standard error says what and why.',
  no: 'No: what was named is not there, or a service does not run (`status`).',
  usage: 'Wrong usage: an unknown command or option, or one that is missing.',
};

const intro = `# The command line

Inside the checkout, \`npx holdfast\` runs it. \`./tools/serve\` is \`holdfast serve\` after a look whether the checkout is
set up and built.

## Which instance

An instance is one state folder. All commands but \`serve\` talk to the running instance by the Unix sockets in its state
folder, so they need no address and no password, and work for the user who started it (and for root). \`--state FOLDER\`
names another folder than the default, \`$XDG_STATE_HOME/holdfast\` or \`~/.local/state/holdfast\`.

## What is printed

- Results go to standard output, everything else to standard error.
- Without \`--json\`, output is for people: tables and \`name: value\` lines. It may change.
- With \`--json\`, a command prints one JSON document, \`serve\` one JSON object a line. Resources are in the protobuf JSON
  mapping of [the API](api.md): 64-bit numbers are strings, times are RFC 3339, and **a field that has its default value
  (false, 0, empty) is left out**. Errors are text on standard error, with \`--json\` too.`;

/** @param {string} help */
function section(help) {
  const words = wordsIn(help);
  const depth = words.length > 1 ? '###' : '##';
  return blocks(`${depth} ${['holdfast', ...words].join(' ')}`, `\`\`\`text\n${help}\n\`\`\``);
}

/** @param {Readonly<Record<string, number>>} codes */
function exitCodeTable(codes) {
  const rows = Object.entries(codes).map(([name, code]) => {
    const meaning = exitCodes[name];
    if (meaning === undefined)
      throw new Error(`the exit code ${name} is not described in tools/docs/pages/cli.js`);
    return [String(code), meaning];
  });
  return table(['Exit code', 'Meaning'], rows);
}

/** @type {Page} */
export const cliPage = {
  file: 'cli.md',
  source: 'the --help of apps/holdfast',
  render: async () => {
    const { ExitCode } = await built('apps/holdfast/dist/exit-code.js');
    return blocks(intro, '## Exit codes', exitCodeTable(ExitCode), ...(await readHelps()).map(section));
  },
};
