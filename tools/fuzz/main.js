/** From the command line to the exit code: 0 no rule was broken, 1 one was, 64 misused. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readCorpus, writeCorpus } from './corpus.js';
import { fuzz } from './fuzzer.js';
import { readOptions, usage, UsageError } from './options.js';

/** @import { Finding, Outcome, Target } from './types.js' */
/** @typedef {Exclude<ReturnType<typeof readOptions>, 'help'>} Options */

/** @param {Outcome} outcome */
function summary({ target, executions, seconds, blocksReached, blocks, corpus, findings }) {
  const rate = Math.round(executions / Math.max(seconds, 0.001));
  return (
    `${target}: ${executions} executions in ${Math.round(seconds)} s (${rate}/s), ` +
    `${blocksReached} of ${blocks} blocks, corpus ${corpus.length}, findings ${findings.length}`
  );
}

/**
 * Saves the input, and tells how to run it again.
 *
 * @param {string} target
 * @param {string} folder
 * @param {Finding} finding
 */
function tell(target, folder, { rule, input, error }) {
  mkdirSync(folder, { recursive: true });
  const name = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const file = path.join(folder, `${target}-${name}.bin`);
  writeFileSync(file, input);
  console.log(`FINDING ${target}: ${rule}`);
  console.log(error instanceof Error ? error.stack : error);
  console.log(`replay: ./tools/fuzz/run --target ${target} --replay ${file}`);
}

/**
 * @param {Target} target
 * @param {Options} options
 */
function run(target, { seconds, seed, corpus: folder, findings }) {
  const progress = (/** @type {Outcome} */ outcome) => {
    console.log(summary(outcome));
    if (folder !== undefined) writeCorpus(target, folder, outcome.corpus);
  };
  const outcome = fuzz(target, { seconds, seed, corpus: readCorpus(target, folder), progress });
  for (const finding of outcome.findings) tell(target.name, findings, finding);
  console.log(`${summary(outcome)}, seed ${seed}`);
  if (folder !== undefined) writeCorpus(target, folder, outcome.corpus);
  return outcome.findings.length === 0;
}

function main() {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  if (options.replay !== undefined) {
    const input = readFileSync(options.replay);
    for (const target of options.targets) target.run(input);
    console.log('no rule was broken');
    return 0;
  }
  return options.targets.map((target) => run(target, options)).every(Boolean) ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 64 : 1;
}
