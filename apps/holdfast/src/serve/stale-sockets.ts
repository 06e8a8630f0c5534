import { lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { StateLayout } from '@holdfast/contracts';

/**
 * Removes the sockets of services that were killed; one that stops in order removes its own. To be called when none
 * of them runs and while the state folder is locked. Another program's socket answers, and stays.
 */
export async function removeStaleSockets(layout: StateLayout, nbdSocket: string): Promise<void> {
  const { registrySocket, workerSocket, gatewaySocket, supervisorSocket, workerNextSocket } = layout;
  const { registryHandoff, workerHandoff, workerNextHandoff } = layout;
  for (const path of [
    registrySocket,
    workerSocket,
    gatewaySocket,
    supervisorSocket,
    workerNextSocket,
    registryHandoff,
    workerHandoff,
    workerNextHandoff,
    nbdSocket,
  ]) {
    const isSocket = lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
    if (isSocket && (await isRefused(path))) rmSync(path, { force: true });
  }
}

/** The kernel's word that nobody listens. */
function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED');
    });
  });
}
