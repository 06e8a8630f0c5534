/** From the command line to the exit code: 0 done, 1 something failed, 2 misused, 130 or 143 interrupted. */
import { existsSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { runBench } from './bench.js';
import { chooseLoads, chooseServers } from './choose.js';
import { removeDirectDevices } from './direct-device.js';
import { estimateSeconds } from './estimate.js';
import { makeFolder, removeFolder } from './images.js';
import { BuildError, buildLoadgen } from './loadgen.js';
import { busyness } from './machine.js';
import { measureMemory } from './memory.js';
import { readOptions, usage, UsageError } from './options.js';
import { pageOf } from './page/page.js';
import { killEverything, stopEverything } from './processes.js';
import { closingText } from './report.js';
import { readResults, resultsOf, writeResults } from './results.js';

/** @import { Plan } from './bench.js' */
/** @import { Options, Results } from './types.js' */

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
/** @type {Promise<never>} */
const interruption = new Promise((_, reject) => {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.once(signal, () => {
      const error = new Interruption(signal);
      reject(error);
      process.on(signal, () => process.exit(error.exitCode));
    });
  }
});

/**
 * @param {Options} options
 * @param {Plan['folder']} folder
 * @param {Plan['imageFolders']} imageFolders
 * @returns {Promise<Results>}
 */
async function measureAll(options, folder, imageFolders) {
  buildLoadgen();
  const plan = { options, servers: chooseServers(options), folder, imageFolders, subject };
  const warning = busyness();
  const warnings = warning === undefined ? [] : [warning];
  if (options.memory) {
    const { samples, settings, failures } = await measureMemory(plan);
    return resultsOf(plan, { memory: samples, settings, warnings, failures });
  }
  const loads = chooseLoads(options);
  const minutes = Math.ceil(estimateSeconds(loads, plan.servers, options) / 60);
  console.error(`${loads.length} loads, ${plan.servers.length} servers: about ${minutes} min.`);
  return resultsOf(plan, { ...(await runBench({ ...plan, loads })), warnings });
}

/**
 * @param {Options} options
 * @param {Results} results
 */
function tell(options, results) {
  console.log(closingText(results));
  if (options.json !== undefined) writeResults(options.json, results);
  if (options.report !== undefined) writeFileSync(options.report, pageOf(results));
}

/** @returns {Promise<number>} */
async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  if (options.from.length > 0) {
    tell(options, readResults(options.from));
    return 0;
  }
  const folder = makeFolder(tmpdir());
  const imageFolders = { disk: makeFolder(options.imageFolder), tmpfs: makeTmpfsFolder(options.tmpfsFolder) };
  process.once('exit', () => {
    killEverything();
    removeDirectDevices();
    for (const one of [folder, ...Object.values(imageFolders)]) removeFolder(one);
  });
  try {
    const results = await Promise.race([measureAll(options, folder, imageFolders), interruption]);
    tell(options, results);
    return results.failures.length === 0 ? 0 : 1;
  } finally {
    await stopEverything();
  }
}

/**
 * Where there is no such folder, no load needs it.
 * @param {string} parent
 */
function makeTmpfsFolder(parent) {
  return existsSync(parent) ? makeFolder(parent) : path.join(parent, 'none');
}

try {
  process.exit(await main());
} catch (error) {
  const known = [Interruption, UsageError, BuildError].some((kind) => error instanceof kind);
  console.error(known && error instanceof Error ? error.message : error);
  process.exit(error instanceof Interruption ? error.exitCode : error instanceof UsageError ? 2 : 1);
}
