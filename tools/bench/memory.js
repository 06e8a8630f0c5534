/** What a server takes while many clients are connected and do nothing. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startContestants, stopContestants } from './contestants.js';
import { Failures } from './failures.js';
import { makeImage } from './images.js';
import { holdConnections } from './loadgen.js';
import { familyOf } from './proc-stat.js';
import { stopDaemon } from './processes.js';
import { exportName, ready } from './servers/start.js';

/** @import { Contestant } from './contestants.js' */
/** @import { Plan } from './bench.js' */
/** @import { Daemon, MemorySample, Mode } from './types.js' */

export const connectionCounts = [0, 1, 16, 256, 1000];

/** The image plays no part. */
const imageBytes = 64 << 20;
/** A thousand handshakes one after the other, on a busy machine. */
const connectMsMax = 120_000;
/** What a server still does for a client that was just let in. */
const settleMs = 1500;

/**
 * @param {Pick<Plan, 'servers' | 'options' | 'folder' | 'imageFolders'>} plan
 * @returns {Promise<{ samples: MemorySample[], settings: Record<string, Partial<Record<Mode, string>>>, failures: Failures }>}
 */
export async function measureMemory(plan) {
  const failures = new Failures();
  /** @type {MemorySample[]} */
  const samples = [];
  /** @type {Record<string, Partial<Record<Mode, string>>>} */
  const settings = {};
  const image = path.join(plan.imageFolders.disk, exportName);
  await makeImage(image, imageBytes);
  const place = /** @type {const} */ ({ image, mode: 'plain', manyClients: true });
  // One after the other: idle threads of one would cost the next nothing, but a thousand of them cost everybody.
  for (const server of plan.servers) {
    const contestants = await startContestants([server], place, plan.folder, (name, error) =>
      failures.note(name, error),
    );
    for (const contestant of contestants) {
      settings[server.name] = { plain: contestant.running.settings };
      await sampleServer(contestant, plan.options.transports[0] ?? 'unix', samples, failures);
    }
    await stopContestants(contestants);
  }
  return { samples, settings, failures };
}

/**
 * @param {Contestant} contestant
 * @param {'unix' | 'tcp'} transport
 * @param {MemorySample[]} samples
 * @param {Failures} failures
 */
async function sampleServer({ server, running }, transport, samples, failures) {
  /** @type {Daemon[]} */
  const holders = [];
  let held = 0;
  for (const connections of connectionCounts) {
    console.error(`${server.name} with ${connections} idle connections over ${transport}`);
    try {
      if (connections > held) {
        const holder = holdConnections(running.uris[transport], connections - held);
        holders.push(holder);
        await ready(holder, () => holder.output().includes('holding') || undefined, connectMsMax);
        held = connections;
      }
      await sleep(settleMs);
      samples.push({ server: server.name, connections, ...footprintOf(running.daemons) });
    } catch (error) {
      failures.note(`${server.name} with ${connections} idle connections`, error);
      break;
    }
  }
  await Promise.all(holders.map(stopDaemon));
  // A server that forks has a thousand children to bury before it can go itself.
  await sleep(settleMs);
}

/**
 * All processes of a server. It may have one for each transport, or one for each client.
 * @param {readonly Daemon[]} daemons
 * @returns {Omit<MemorySample, 'server' | 'connections'>}
 */
function footprintOf(daemons) {
  const pids = [...familyOf(daemons.map(({ pid }) => pid)).keys()];
  const sum = { rssBytes: 0, pssBytes: 0, processes: pids.length, threads: 0 };
  for (const pid of pids) {
    const rollup = read(pid, 'smaps_rollup');
    sum.rssBytes += numberIn(rollup, 'Rss') * 1024;
    sum.pssBytes += numberIn(rollup, 'Pss') * 1024;
    sum.threads += numberIn(read(pid, 'status'), 'Threads');
  }
  return sum;
}

/**
 * @param {number} pid
 * @param {string} file
 */
function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It has ended since it was listed.
    return '';
  }
}

/**
 * @param {string} text
 * @param {string} key
 */
function numberIn(text, key) {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
