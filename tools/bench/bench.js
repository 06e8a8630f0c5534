/** The course of a run: start the servers, take turns, flush after writes, sum up. */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { flush, makeImage } from './images.js';
import { measure } from './measure.js';
import { isOver, stopDaemon } from './processes.js';
import { rotate, summarise } from './rounds.js';
import { exportName } from './servers/start.js';

/** @import { Load, Options, Round, Row, RunningServer, Server, Transport } from './types.js' */

/** @typedef {{ server: Server, running: RunningServer }} Contestant */

/** Lets just-in-time compilers and thread pools come to temperature; not counted. */
const warmUpSeconds = 0.5;

/**
 * @typedef {{ options: Options, servers: Server[], loads: Load[], folder: string, subject: string }} Plan
 * @typedef {{ rows: Row[], settings: Record<string, string>, failures: string[] }} Outcome
 */

/**
 * All servers have one image, and so the same pages in the cache: what a write costs depends on how large the pieces
 * are in which the kernel keeps the file there, and that differs from file to file.
 * @param {Plan} plan
 * @returns {Promise<Outcome>}
 */
export async function runBench(plan) {
  /** @type {Outcome} */
  const outcome = { rows: [], settings: {}, failures: [] };
  const image = path.join(plan.folder, exportName);
  await makeImage(image, plan.options.sizeBytes);
  for (const op of /** @type {const} */ (['read', 'write'])) {
    const loads = plan.loads.filter((load) => load.op === op);
    if (loads.length === 0) continue;
    const contestants = await startAll(plan, op, image, outcome);
    for (const load of loads) {
      for (const transport of plan.options.transports) {
        outcome.rows.push(await compare(plan, load, transport, contestants, image, outcome));
      }
    }
    for (const { running } of contestants) await Promise.all(running.daemons.map(stopDaemon));
  }
  outcome.rows.sort((a, b) => plan.loads.indexOf(a.load) - plan.loads.indexOf(b.load));
  return outcome;
}

/**
 * @param {Plan} plan
 * @param {Load['op']} op
 * @param {string} image
 * @param {Outcome} outcome
 * @returns {Promise<Contestant[]>}
 */
async function startAll(plan, op, image, outcome) {
  /** @type {Contestant[]} */
  const contestants = [];
  for (const server of plan.servers) {
    const folder = path.join(plan.folder, `${server.name}-${op}`);
    mkdirSync(folder);
    console.error(`starting ${server.name} for the ${op}s`);
    try {
      const running = await server.start({ image, folder, port: await freePort() });
      contestants.push({ server, running });
      outcome.settings[server.name] = running.settings;
    } catch (error) {
      fail(outcome, server.name, error);
    }
  }
  return contestants;
}

/**
 * All rounds of one load over one transport.
 * @param {Plan} plan
 * @param {Load} load
 * @param {Transport} transport
 * @param {Contestant[]} contestants
 * @param {string} image
 * @param {Outcome} outcome
 * @returns {Promise<Row>}
 */
async function compare(plan, load, transport, contestants, image, outcome) {
  const { rounds: count, seconds, sizeBytes } = plan.options;
  /** @type {Round[]} */
  const rounds = [];
  console.error(`${load.name} over ${transport}`);
  // Round 0 warms up.
  for (let number = 0; number <= count; number++) {
    /** @type {Round} */
    const round = {};
    for (const { server, running } of rotate(contestants, number)) {
      const run = { seconds: number === 0 ? warmUpSeconds : seconds, seed: number, sizeBytes };
      try {
        round[server.name] = await measure(load, running, transport, run);
      } catch (error) {
        fail(outcome, `${server.name}, ${load.name} over ${transport}`, error);
        for (const daemon of running.daemons.filter((one) => one.exited()))
          fail(outcome, daemon.name, new Error(`has ended by itself. ${daemon.complaint()}`));
      }
      await (load.op === 'write' ? flush(image) : undefined);
    }
    if (number > 0) rounds.push(round);
  }
  return { load, transport, rounds, ...summarise(plan.subject, rounds) };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/**
 * Notes what went wrong and lets the others go on, unless everything is being ended.
 * @param {Outcome} outcome
 * @param {string} where
 * @param {unknown} error
 */
function fail(outcome, where, error) {
  if (isOver()) throw error;
  const sentence = `${where}: ${error instanceof Error ? error.message : String(error)}`;
  console.error(sentence);
  outcome.failures.push(sentence);
}
