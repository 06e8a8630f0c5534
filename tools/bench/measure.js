/** One measurement: one load against one server, with what it cost both sides. */
import { runLoadgen } from './loadgen.js';
import { cpuSecondsOf, endedChildrenCpuSeconds } from './proc-stat.js';
import { runTool } from './processes.js';

/** @import { Load, Measurement, RunningServer, Transport } from './types.js' */

/**
 * What a client reports; what is missing is taken from outside.
 * @typedef {Pick<Measurement, 'requests' | 'seconds' | 'latencyUsP50' | 'latencyUsP99'>
 *   & { cpuSeconds?: number }} ClientReport
 */

/**
 * @param {Load} load
 * @param {RunningServer} server
 * @param {Transport} transport
 * @param {{ seconds: number, seed: number, sizeBytes: number }} plan
 * @returns {Promise<Measurement>}
 */
export async function measure(load, server, transport, plan) {
  const pids = server.daemons.map((daemon) => daemon.pid);
  const serverCpu = await cpuSecondsOf(pids);
  const clientCpu = endedChildrenCpuSeconds();
  const report = await runClient(load, server.uris[transport], plan);
  const serverCpuSeconds = (await cpuSecondsOf(pids)) - serverCpu;

  const { cpuSeconds, ...seen } = report;
  const clientCpuSeconds = cpuSeconds ?? endedChildrenCpuSeconds() - clientCpu;
  const perSecond = report.requests / report.seconds;
  return {
    ...seen,
    value: load.unit === 'IOPS' ? perSecond : (perSecond * load.blockBytes) / 1e6,
    serverCpuUs: (serverCpuSeconds * 1e6) / report.requests,
    clientCpuUs: (clientCpuSeconds * 1e6) / report.requests,
  };
}

/**
 * @param {Load} load
 * @param {string} uri
 * @param {{ seconds: number, seed: number, sizeBytes: number }} plan
 * @returns {Promise<ClientReport>}
 */
async function runClient(load, uri, plan) {
  switch (load.tool) {
    case 'loadgen': {
      const { requests, seconds, latencyUsP50, latencyUsP99, cpuSeconds } = await runLoadgen(
        load,
        uri,
        plan.seconds,
        plan.seed,
      );
      return { requests, seconds, latencyUsP50, latencyUsP99, cpuSeconds };
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
    ...['--time_based', `--runtime=${seconds}`, '--output-format=json'],
  ]);
  // Some versions put a warning before the JSON.
  const { read } = JSON.parse(printed.slice(printed.indexOf('{'))).jobs[0];
  return {
    requests: read.total_ios,
    seconds: read.total_ios / read.iops,
    latencyUsP50: read.clat_ns.percentile['50.000000'] / 1e3,
    latencyUsP99: read.clat_ns.percentile['99.000000'] / 1e3,
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
  await runTool('nbdcopy', [uri, 'null:']);
  return { requests: sizeBytes / load.blockBytes, seconds: (performance.now() - startedAt) / 1e3 };
}
