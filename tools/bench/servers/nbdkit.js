/** nbdkit with its file plugin. It listens on one transport, so there are two processes. */
import { startDaemon } from '../processes.js';
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

/** @import { Server } from '../types.js' */

/**
 * @param {string} name
 * @param {string[]} options
 * @param {string} settings
 * @returns {Server}
 */
function nbdkitWith(name, options, settings) {
  return {
    name,
    settings,
    missing: () => missingProgram('nbdkit', 'nbdkit'),
    version: () => versionOf('nbdkit', '--version'),
    async start(place) {
      const common = ['--foreground', `--export-name=${exportName}`, ...options];
      const plugin = ['file', place.image, 'cache=default', 'fadvise=normal'];
      const tcp = startDaemon(`${name} (tcp)`, 'nbdkit', [
        ...[...common, '--ipaddr=127.0.0.1', `--port=${place.port}`],
        ...plugin,
      ]);
      const unix = startDaemon(`${name} (unix)`, 'nbdkit', [
        ...[...common, `--unix=${socketPath(place)}`],
        ...plugin,
      ]);
      await ready(tcp, () => answersOnTcp(place));
      await ready(unix, () => answersOnUnix(place));
      return { uris: urisOf(place), daemons: [tcp, unix] };
    },
  };
}

export const nbdkit = nbdkitWith('nbdkit', [], 'file plugin, its default of 16 threads a connection');
