/** What a run found out, put together, written, and read again. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describeMachine } from './machine.js';
import { UsageError } from './options.js';

/** @import { Failures } from './failures.js' */
/** @import { MemorySample, Mode, Options, Results, Row, Server } from './types.js' */

/**
 * @param {{ options: Options, servers: readonly Server[], subject: string }} plan
 * @param {{ rows?: Row[], memory?: MemorySample[], warnings?: string[], failures: Failures,
 *   settings: Record<string, Partial<Record<Mode, string>>> }} found
 * @returns {Results}
 */
export function resultsOf({ options, servers, subject }, found) {
  const { rounds, seconds, sizeBytes } = options;
  return {
    format: 1,
    takenAt: new Date().toISOString(),
    subject,
    machine: describeMachine(options),
    plan: { rounds, seconds, sizeBytes },
    servers: servers.map((server) => ({
      name: server.name,
      version: server.version(),
      settings: found.settings[server.name] ?? {},
    })),
    rows: found.rows ?? [],
    memory: found.memory ?? [],
    warnings: found.warnings ?? [],
    failures: found.failures.sentences,
  };
}

/**
 * @param {string} file
 * @param {Results} results
 */
export function writeResults(file, results) {
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
}

/**
 * Several runs as one, such as speed and memory. What describes the run is that of the first.
 * @param {readonly string[]} files
 * @returns {Results}
 * @throws UsageError when one of them was not written by `--json`
 */
export function readResults(files) {
  const [first, ...others] = files.map(readOne);
  if (first === undefined) throw new UsageError('--from needs a file');
  return others.reduce(
    (all, one) => ({
      ...all,
      servers: [
        ...all.servers,
        ...one.servers.filter(({ name }) => all.servers.every((own) => own.name !== name)),
      ],
      rows: [...all.rows, ...one.rows],
      memory: [...all.memory, ...one.memory],
      warnings: [...all.warnings, ...one.warnings],
      failures: [...all.failures, ...one.failures],
    }),
    first,
  );
}

/**
 * @param {string} file
 * @returns {Results}
 */
function readOne(file) {
  let parsed;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (parsed?.format !== 1 || !Array.isArray(parsed.rows))
    throw new UsageError(`${file} is not what --json of this bench writes`);
  return parsed;
}
