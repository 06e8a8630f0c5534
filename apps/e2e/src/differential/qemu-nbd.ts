import path from 'node:path';
import { existsSync } from 'node:fs';
import { start } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { newerClients } from '../support/newer-clients.js';
import { scratchFolder } from '../support/scratch-folder.js';

/** A qemu-nbd that serves a raw image on a Unix socket until the end of the test file. @returns the path of the socket */
export async function startQemuNbd(image: string, { newer }: { newer: boolean }): Promise<string> {
  const socket = path.join(scratchFolder(), 'qemu.sock');
  const args = ['-t', '-f', 'raw', '--discard=unmap', '--detect-zeroes=off', '-k', socket, '-x', '', image];
  const program = start(newer ? newerClients : 'qemu-nbd', newer ? ['qemu-nbd', ...args] : args, {
    timeoutMs: 600_000,
  });
  await eventually('qemu-nbd to listen', () => {
    if (program.child.exitCode !== null) throw new Error(`qemu-nbd ended: ${program.output().stderr}`);
    return existsSync(socket);
  });
  return socket;
}
