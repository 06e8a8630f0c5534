/** nbd-server, the reference implementation: it forks for each connection, and serves both transports. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { adoptDaemon, runTool } from '../processes.js';
import * as starting from './start.js';

/** @import { Place, Server } from '../types.js' */

/**
 * @param {Place} place
 * @param {number} threads
 */
function configuration(place, threads) {
  return `[generic]
  listenaddr = 127.0.0.1
  port = ${place.port}
  unixsock = ${starting.socketPath(place)}
  duallisten = true
  max_threads = ${threads}
[${starting.exportName}]
  exportname = ${starting.backingOf(place)}
  flush = true
  fua = true
  trim = true
`;
}

/**
 * @param {string} name
 * @param {number} threads
 * @returns {Server}
 */
function nbdServerWith(name, threads) {
  return {
    name,
    // It has TLS too, but ends it in a process that copies between two sockets: left out.
    modes: ['plain', 'direct'],
    missing: () => starting.missingProgram('nbd-server', 'nbd-server'),
    version: () => starting.versionOf('nbd-server', '-V'),
    async start(place) {
      const config = path.join(place.folder, 'config');
      const pidFile = path.join(place.folder, 'pid');
      writeFileSync(config, configuration(place, threads));
      // It detaches itself (with -d it would serve one connection only), so its pid file is our hold on it.
      await runTool('nbd-server', ['-C', config, '-p', pidFile]);
      const daemon = adoptDaemon(name, await starting.patiently(name, () => readPid(pidFile)));
      await starting.ready(daemon, () => starting.answersOnTcp(place));
      await starting.ready(daemon, () => starting.answersOnUnix(place));
      const more = place.mode === 'direct' ? ', a loop device that has direct I/O' : '';
      const settings = `${threads} threads a connection${more}`;
      return { uris: starting.urisOf(place), settings, daemons: [daemon] };
    },
  };
}

/** @param {string} file */
function readPid(file) {
  const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : NaN;
  return Number.isNaN(pid) ? undefined : pid;
}

/** 4 threads are its default; 1 is faster when the file is in memory. splice = true brought nothing. */
export const nbdServer = nbdServerWith('nbd-server', 4);
export const nbdServer1 = nbdServerWith('nbd-server-1-thread', 1);
