/** qemu-nbd. It listens on one transport, so there are two processes, and its lock on the image is off. */
import { startDaemon } from '../processes.js';
import { bothReady, exportName, missingProgram, socketPath, versionOf } from './start.js';

/** @import { Place, RunningServer, Server } from '../types.js' */

/**
 * @param {Place} place
 * @param {string} aio
 * @returns {Promise<RunningServer>}
 */
function startWith(place, aio) {
  const options = ['--persistent', '--shared=0', '--cache=writeback', `--aio=${aio}`];
  const image = `driver=raw,file.driver=file,file.locking=off,file.filename=${place.image}`;
  const serve = [...options, `--export-name=${exportName}`, '--image-opts', image];
  return bothReady(place, `raw, ${options.join(' ')}`, {
    tcp: startDaemon('qemu-nbd (tcp)', 'qemu-nbd', [...serve, '--bind=127.0.0.1', `--port=${place.port}`]),
    unix: startDaemon('qemu-nbd (unix)', 'qemu-nbd', [...serve, `--socket=${socketPath(place)}`]),
  });
}

/**
 * @param {string} name
 * @param {(place: Place) => Promise<RunningServer>} start
 * @returns {Server}
 */
function qemuNbdWith(name, start) {
  return {
    name,
    missing: () => missingProgram('qemu-nbd', 'qemu-utils'),
    version: () => versionOf('qemu-nbd', '--version'),
    start,
  };
}

/** io_uring is the faster one for reads; a build or a kernel without it refuses to start. */
export const qemuNbd = qemuNbdWith('qemu-nbd', async (place) => {
  try {
    return await startWith(place, 'io_uring');
  } catch {
    return startWith(place, 'threads');
  }
});
export const qemuNbdThreads = qemuNbdWith('qemu-nbd-threads', (place) => startWith(place, 'threads'));
