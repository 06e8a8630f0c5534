/** From the command line to the exit code: 0 flat and every byte right, 1 not, 2 misused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { killEverything, stopEverything } from '../bench/processes.js';
import { table } from '../bench/report.js';
import { soak } from './soak.js';
import { memorySlackBytesDefault } from './trends.js';

/** @import { Outcome, Trend } from './types.js' */

const mib = 1 << 20;
const faultsShownMax = 20;

const usage = `Usage: ./tools/soak/run [OPTION]...
Keeps one ./tools/serve busy with clients that write, read back and compare, connect and disconnect, while a disk is
detached and attached, and looks whether memory, descriptors and threads of the services stay where they were.

  --minutes N         how long (default 30)
  --memory-slack MIB  how much memory a service may gain, beside 5 % of what it has (default ${memorySlackBytesDefault / mib})
  --without-setup     start what is built, as it is, instead of ./tools/serve
  --json FILE         the outcome, for programs
  --help
`;

/** A mistake on the command line: said without a stack. */
class UsageError extends Error {}

function readOptions() {
  let values;
  try {
    values = parseArgs({
      options: {
        minutes: { type: 'string', default: '30' },
        'memory-slack': { type: 'string', default: `${memorySlackBytesDefault / mib}` },
        'without-setup': { type: 'boolean', default: false },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return {
    help: values.help === true,
    minutes: positive('--minutes', values.minutes),
    memorySlackBytes: positive('--memory-slack', values['memory-slack']) * mib,
    setUp: !values['without-setup'],
    json: values.json,
  };
}

/**
 * @param {string} name
 * @param {string} text
 */
function positive(name, text) {
  const value = Number(text);
  if (!(value > 0 && value < Infinity))
    throw new UsageError(`${name} takes a positive number, not "${text}"`);
  return value;
}

/** @param {Outcome} outcome */
function describe({ minutes, laps, tally, trends, isFlat }) {
  const shown = (/** @type {Trend} */ { figure }, /** @type {number} */ value) =>
    figure === 'memoryBytes' ? `${(value / mib).toFixed(1)} MiB` : `${value}`;
  const rows = trends.map((trend) => [
    trend.service,
    trend.figure === 'memoryBytes' ? 'memory' : trend.figure,
    shown(trend, trend.second),
    shown(trend, trend.last),
    trend.isFlat ? 'flat' : 'not flat',
  ]);
  const { connects, cuts, requests, attaches, verifiedBytes, writtenBytes, faults } = tally;
  const gib = (/** @type {number} */ bytes) => (bytes / 2 ** 30).toFixed(2);
  return [
    '',
    ...(rows.length === 0
      ? []
      : [table(['service', 'figure', 'second quarter', 'last quarter', 'verdict'], rows, 2), '']),
    `${minutes.toFixed(1)} min, ${laps} rests: ${connects} connects, ${cuts} cut off, ${attaches} attaches, ${requests} requests;`,
    `${gib(writtenBytes)} GiB written, ${gib(verifiedBytes)} GiB read back and compared.`,
    ...faults.slice(0, faultsShownMax).map((fault) => `WRONG: ${fault}`),
    ...(faults.length > faultsShownMax ? [`and ${faults.length - faultsShownMax} more`] : []),
    isFlat ? 'flat' : 'not flat',
  ].join('\n');
}

/** @returns {Promise<number>} */
async function main() {
  const { help, json, ...plan } = readOptions();
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-soak-'));
  process.once('exit', () => {
    killEverything();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.once(signal, () => process.exit(1));
  try {
    const outcome = await soak({ ...plan, folder, say: (line) => console.error(line) });
    console.log(describe(outcome));
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(outcome, undefined, 2)}\n`);
    return outcome.isFlat ? 0 : 1;
  } finally {
    await stopEverything();
  }
}

try {
  process.exit(await main());
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
