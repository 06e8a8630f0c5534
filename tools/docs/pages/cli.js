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
  interrupted: 'Interrupted by ^C or SIGTERM (`nbd copy`); what was done so far is told.',
};

const intro = `# The command line

Inside the checkout, \`npx holdfast\` runs it. \`./tools/serve\` is \`holdfast serve\` after a look whether the checkout is
set up and built.

## Which instance

An instance is one state folder. All commands but \`serve\`, \`tls\` and \`nbd\` talk to the running instance by the Unix
sockets in its state folder, so they need no address and no password, and work for the user who started it (and for root). \`--state FOLDER\`
names another folder than the default, \`$XDG_STATE_HOME/holdfast\` or \`~/.local/state/holdfast\`.

## What is printed

- Results go to standard output, everything else to standard error.
- Without \`--json\`, output is for people: tables and \`name: value\` lines. It may change.
- With \`--json\`, a command prints one JSON document, \`serve\` one JSON object a line. \`remove\` prints nothing, and
  \`device detach\` prints \`null\` when there is no such device.
- Resources are in the protobuf JSON mapping of [the API](api.md). **Every field is there, also when it is false, 0 or
  empty**; only what does not exist is left out, as the \`attachment\` of a device that was never attached. 64-bit numbers
  (uint64 in the API) are strings of decimal digits, \`"sizeBytes": "67108864"\`, since a JSON reader may round them;
  32-bit numbers are numbers. Times are RFC 3339 in UTC, states are the names of the API.
- \`nbd\` commands talk to NBD servers, whoever's they are, and print what \`nbdinfo\` prints where the notion is the same:
  with \`--json\` its key names, and sizes as numbers with all their digits. \`nbd copy --json\` prints an object a line.
- An error is one sentence and its code, \`holdfast: SENTENCE (CODE)\`. With \`--json\` it is one JSON object on one line of
  standard error: \`{"error":{"code":"DEVICE_NOT_FOUND","status":"NOT_FOUND","message":"…","recovery":"…","metadata":{}}}\`.
  The codes, and what to do, are [listed](errors.md); wrong usage is \`INVALID_ARGUMENT\`.
- What else there is to say, for instance that a service is started again, is a line \`holdfast: SENTENCE\` on standard
  error, with \`--json\` an object \`{"event":"note","message":"…"}\`.`;

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
