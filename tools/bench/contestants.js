/** The servers of one group of loads: started together over one image, stopped together. */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { stopDaemon } from './processes.js';

/** @import { Place, RunningServer, Server } from './types.js' */

/** @typedef {{ server: Server, running: RunningServer }} Contestant */

/**
 * Those that start. One that knows no such mode is left out without a word; one that fails is told.
 * @param {readonly Server[]} servers
 * @param {Omit<Place, 'port' | 'folder'>} where
 * @param {string} folder in which each gets its own
 * @param {(name: string, error: unknown) => void} fail
 * @returns {Promise<Contestant[]>}
 */
export async function startContestants(servers, where, folder, fail) {
  /** @type {Contestant[]} */
  const contestants = [];
  for (const server of servers.filter((one) => one.modes.includes(where.mode))) {
    const own = path.join(folder, server.name);
    mkdirSync(own, { recursive: true });
    try {
      const running = await server.start({ ...where, folder: own, port: await freePort() });
      contestants.push({ server, running });
    } catch (error) {
      fail(server.name, error);
    }
  }
  return contestants;
}

/** @param {readonly Contestant[]} contestants */
export async function stopContestants(contestants) {
  for (const { running } of contestants) await Promise.all(running.daemons.map(stopDaemon));
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
