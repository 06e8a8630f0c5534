/** nbd-server, the reference implementation: one process forked a connection, both transports at once. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { adoptDaemon, runTool } from '../processes.js';
import {
  answersOnTcp,
  answersOnUnix,
  exportName,
  missingProgram,
  ready,
  socketPath,
  urisOf,
  versionOf,
} from './start.js';

/** @import { Place, Server } from '../types.js' */

/**
 * @param {Place} place
 * @param {number} threads
 */
function configuration(place, threads) {
  return `[generic]
  listenaddr = 127.0.0.1
  port = ${place.port}
  unixsock = ${socketPath(place)}
  duallisten = true
  max_threads = ${threads}
[${exportName}]
  exportname = ${place.image}
  flush = true
  fua = true
  trim = true
`;
}

/** @type {Server} */
export const nbdServer = {
  name: 'nbd-server',
  missing: () => missingProgram('nbd-server', 'nbd-server'),
  version: () => versionOf('nbd-server', '-V'),
  async start(place) {
    const config = path.join(place.folder, 'config');
    const pidFile = path.join(place.folder, 'pid');
    writeFileSync(config, configuration(place, 4));
    // It detaches itself (with -d it would serve one connection only), and its pid file is how we keep hold of it.
    await runTool('nbd-server', ['-C', config, '-p', pidFile]);
    const daemon = adoptDaemon('nbd-server', await patiently('nbd-server', () => readPid(pidFile)));
    await ready(daemon, () => answersOnTcp(place));
    await ready(daemon, () => answersOnUnix(place));
    return { uris: urisOf(place), settings: `${threads} threads a connection`, daemons: [daemon] };
  },
};

/** @param {string} file */
function readPid(file) {
  const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : NaN;
  return Number.isNaN(pid) ? undefined : pid;
}
