import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { HoldfastError } from '@holdfast/foundation';

/**
 * Makes room for a Unix socket: a path that a dead process left is removed, but only after a connect to it was
 * refused, which is the kernel's word that nobody listens.
 *
 * @throws HoldfastError PORT_IN_USE when somebody does, or when something else stands at the path
 */
export async function takeOverSocketPath(path: string): Promise<void> {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry === undefined) return;
  if (!entry.isSocket()) {
    throw new HoldfastError('PORT_IN_USE', `${path} exists and is not a socket; move it away`, { path });
  }
  if (await answers(path)) {
    throw new HoldfastError('PORT_IN_USE', `another process listens on ${path}`, { path });
  }
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else
        reject(
          new HoldfastError('PORT_IN_USE', `${path} cannot be taken over: ${error.message}`, { path }, error),
        );
    });
  });
}
