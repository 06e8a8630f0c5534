/** One measurement: one load against one server, with what it cost both sides. */
import { runClient } from './clients.js';
import { cpuSecondsOf, endedChildrenCpuSeconds } from './proc-stat.js';

/** @import { ClientPlan } from './clients.js' */
/** @import { Load, Measurement, RunningServer, Transport } from './types.js' */

/**
 * @param {Load} load
 * @param {RunningServer} server
 * @param {Transport} transport
 * @param {ClientPlan} plan
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
