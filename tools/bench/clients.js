/** What loads a server: our own generator, or a program that people use. */
import { runLoadgen } from './loadgen.js';
import { runTool } from './processes.js';
import { missingProgram } from './servers/start.js';

/** @import { Load, Measurement, Tool } from './types.js' */

/**
 * What a client reports; what is missing is taken from outside.
 * @typedef {Pick<Measurement, 'requests' | 'seconds' | 'latencyUsP50' | 'latencyUsP99' | 'latencyUsP999' | 'structured'>
 *   & { cpuSeconds?: number }} ClientReport
 * @typedef {{ seconds: number, seed: number, sizeBytes: number }} ClientPlan
 */

/** Debian packages of the clients that may be missing. */
/** @type {Record<Exclude<Tool, 'loadgen'>, string>} */
const packages = { fio: 'fio', nbdcopy: 'libnbd-bin' };

/**
 * Why a client cannot run here; undefined when it can.
 * @param {Tool} tool
 */
export function missingClient(tool) {
  return tool === 'loadgen' ? undefined : missingProgram(tool, packages[tool]);
}

/**
 * @param {Load} load
 * @param {string} uri
 * @param {ClientPlan} plan
 * @returns {Promise<ClientReport>}
 */
export async function runClient(load, uri, plan) {
  switch (load.tool) {
    case 'loadgen': {
      const result = await runLoadgen(load, uri, plan.seconds, plan.seed);
      const { requests, seconds, latencyUsP50, latencyUsP99, latencyUsP999, structured, cpuSeconds } = result;
      return { requests, seconds, latencyUsP50, latencyUsP99, latencyUsP999, structured, cpuSeconds };
    }
    case 'fio':
      return runFio(load, uri, plan.seconds);
    case 'nbdcopy':
      return runNbdcopy(load, uri, plan.sizeBytes);
  }
}

/**
 * @param {Load} load
 * @param {string} uri
 * @param {number} seconds
 * @returns {Promise<ClientReport>}
 */
async function runFio(load, uri, seconds) {
  const printed = await runTool('fio', [
    ...['--name=bench', '--ioengine=nbd', `--uri=${uri}`, '--rw=randread', '--thread'],
    ...[`--bs=${load.blockBytes}`, `--iodepth=${load.depth}`],
    ...['--time_based', `--runtime=${Math.round(seconds * 1000)}ms`, '--output-format=json'],
  ]);
  // Some versions put a warning before the JSON.
  const { read } = JSON.parse(printed.slice(printed.indexOf('{'))).jobs[0];
  const percentile = (/** @type {string} */ name) => read.clat_ns.percentile[name] / 1e3;
  return {
    requests: read.total_ios,
    seconds: read.total_ios / read.iops,
    latencyUsP50: percentile('50.000000'),
    latencyUsP99: percentile('99.000000'),
    latencyUsP999: percentile('99.900000'),
  };
}

/**
 * @param {Load} load
 * @param {string} uri
 * @param {number} sizeBytes
 * @returns {Promise<ClientReport>}
 */
async function runNbdcopy(load, uri, sizeBytes) {
  const startedAt = performance.now();
  await runTool('nbdcopy', [
    ...[`--request-size=${load.blockBytes}`, `--requests=${load.depth}`, `--connections=${load.connections}`],
    ...[uri, 'null:'],
  ]);
  return { requests: sizeBytes / load.blockBytes, seconds: (performance.now() - startedAt) / 1e3 };
}
