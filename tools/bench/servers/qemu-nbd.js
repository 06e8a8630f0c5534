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
  // Without the host's cache it opens the image with O_DIRECT itself, and needs no device for that.
  const cache = place.mode === 'direct' ? 'none' : 'writeback';
  const options = ['--persistent', '--shared=0', `--cache=${cache}`, `--aio=${aio}`];
  const image = `driver=raw,file.driver=file,file.locking=off,file.filename=${place.image}`;
  const serve = [...options, ...tlsOptions(place), `--export-name=${exportName}`, '--image-opts', image];
  const settings = `raw, ${options.join(' ')}${place.mode === 'tls' ? ', TLS with client certificates' : ''}`;
  return bothReady(place, settings, {
    tcp: startDaemon('qemu-nbd (tcp)', 'qemu-nbd', [...serve, '--bind=127.0.0.1', `--port=${place.port}`]),
    unix: startDaemon('qemu-nbd (unix)', 'qemu-nbd', [...serve, `--socket=${socketPath(place)}`]),
  });
}

/** @param {Place} place */
function tlsOptions({ certificates }) {
  if (certificates === undefined) return [];
  const object = `tls-creds-x509,id=tls,endpoint=server,verify-peer=yes,dir=${certificates.server}`;
  return ['--object', object, '--tls-creds=tls'];
}

/**
 * @param {string} name
 * @param {(place: Place) => Promise<RunningServer>} start
 * @returns {Server}
 */
function qemuNbdWith(name, start) {
  return {
    name,
    modes: ['plain', 'tls', 'direct'],
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
