/** From the command line to the exit code: 0 done, 1 something failed, 2 misused, 130 or 143 interrupted. */
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { runBench } from './bench.js';
import { makeFolder, removeFolder } from './images.js';
import { BuildError, buildLoadgen } from './loadgen.js';
import { loads, userLoads } from './loads.js';
import { readOptions, usage, UsageError } from './options.js';
import { killEverything, stopEverything } from './processes.js';
import { busyness, cpuTable, machine, speedTable } from './report.js';
import { servers } from './servers/all.js';
import { missingProgram } from './servers/start.js';

/** @import { Options } from './types.js' */

/** Who is compared with everybody else. */
const subject = 'holdfast';

/** The run was ended from outside. */
class Interruption extends Error {
  /** @param {'SIGINT' | 'SIGTERM'} signal */
  constructor(signal) {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Rejects at the first signal. A second one does not wait for servers to go in order. */
const interruption = new Promise((_, reject) => {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.once(signal, () => {
      const error = new Interruption(signal);
      reject(error);
      process.on(signal, () => process.exit(error.exitCode));
    });
  }
});

/** @param {Options} options */
function chooseLoads(options) {
  const missing = [missingProgram('fio', 'fio'), missingProgram('nbdcopy', 'libnbd-bin')];
  const tools = ['fio', 'nbdcopy'].filter((_, i) => missing[i] === undefined);
  if (options.users) for (const sentence of missing) if (sentence !== undefined) console.error(sentence);
  const users = options.users ? userLoads.filter((load) => tools.includes(load.tool)) : [];
  const chosen = [...loads, ...users]
    .filter((load) => options.loads.test(load.name))
    .map((load) => ({ ...load, replies: options.replies }));
  if (chosen.length === 0) throw new UsageError(`no load matches ${options.loads}`);
  return chosen;
}

/** @param {Options} options */
function chooseServers(options) {
  const chosen = options.servers.flatMap((name) => servers.get(name) ?? []);
  const installed = chosen.filter((server) => {
    const missing = server.missing();
    if (missing !== undefined) console.error(`Without ${server.name}: ${missing}.`);
    return missing === undefined;
  });
  if (installed.length === 0) throw new UsageError('none of these servers can run here');
  return installed;
}

/**
 * @param {Options} options
 * @param {string} folder
 */
async function bench(options, folder) {
  buildLoadgen();
  const chosen = { options, loads: chooseLoads(options), servers: chooseServers(options), folder, subject };
  const warning = busyness();
  const { rows, settings, failures } = await runBench(chosen);

  const names = chosen.servers.map((server) => server.name);
  const versions = chosen.servers.map(
    (server) => `${server.name} ${server.version()}: ${settings[server.name]}`,
  );
  const about = [machine(), `${options.rounds} rounds of ${options.seconds} s`, ...versions];
  console.log(`\n${speedTable(rows, names, subject)}\n\nCPU µs per request, server + client:\n`);
  console.log(
    `${cpuTable(rows, names)}\n\n${[...about, ...(warning === undefined ? [] : [warning])].join('\n')}`,
  );
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ about, warning, rows, failures }, undefined, 2)}\n`);
  }
  return failures.length === 0 ? 0 : 1;
}

/** @returns {Promise<number>} */
async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const folder = makeFolder();
  const cleanUp = () => {
    killEverything();
    removeFolder(folder);
  };
  process.once('exit', cleanUp);
  try {
    return /** @type {number} */ (await Promise.race([bench(options, folder), interruption]));
  } finally {
    await stopEverything();
  }
}

try {
  process.exit(await main());
} catch (error) {
  const known = [Interruption, UsageError, BuildError].some((kind) => error instanceof kind);
  console.error(known && error instanceof Error ? error.message : error);
  process.exit(error instanceof Interruption ? error.exitCode : error instanceof UsageError ? 2 : 1);
}
