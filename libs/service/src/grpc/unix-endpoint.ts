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
  if (await somebodyListens(path)) {
    throw new HoldfastError('PORT_IN_USE', `another process listens on ${path}`, { path });
  }
  unlinkSync(path);
}

/**
 * Whether a process listens at a Unix socket. False is the kernel's word (law 1): a connect was refused, or there is
 * no such path.
 *
 * @throws HoldfastError PORT_IN_USE when the kernel says neither
 */
export function somebodyListens(path: string): Promise<boolean> {
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
          new HoldfastError(
            'PORT_IN_USE',
            `nothing tells whether somebody listens on ${path}: ${error.message}; remove it if nobody does`,
            { path },
            error,
          ),
        );
    });
  });
}
