/** nbdkit with its file plugin. It listens on one transport, so there are two processes. */
import { startDaemon } from '../processes.js';
import { backingOf, bothReady, missingProgram, socketPath, versionOf } from './start.js';

/** @import { Server } from '../types.js' */

/**
 * @param {string} name
 * @param {number} threads
 * @returns {Server}
 */
function nbdkitWith(name, threads) {
  return {
    name,
    modes: ['plain', 'tls', 'direct'],
    missing: () => missingProgram('nbdkit', 'nbdkit'),
    version: () => versionOf('nbdkit', '--version'),
    start(place) {
      const tls =
        place.certificates === undefined
          ? []
          : ['--tls=require', '--tls-verify-peer', `--tls-certificates=${place.certificates.server}`];
      const options = ['--foreground', `--threads=${threads}`, ...tls];
      const plugin = ['file', backingOf(place)];
      const tcp = [...options, '--ipaddr=127.0.0.1', `--port=${place.port}`, ...plugin];
      const unix = [...options, `--unix=${socketPath(place)}`, ...plugin];
      const more = {
        plain: '',
        tls: ', TLS with client certificates',
        direct: ', a loop device that has direct I/O',
      };
      const settings = `file plugin, ${threads} threads a connection, cache=default${more[place.mode]}`;
      return bothReady(place, settings, {
        tcp: startDaemon(`${name} (tcp)`, 'nbdkit', tcp),
        unix: startDaemon(`${name} (unix)`, 'nbdkit', unix),
      });
    },
  };
}

/** 16 threads are its default; 4 are faster on a machine of few cores. */
export const nbdkit = nbdkitWith('nbdkit', 16);
export const nbdkit4 = nbdkitWith('nbdkit-4-threads', 4);
