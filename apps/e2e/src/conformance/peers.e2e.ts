import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { probes } from '@holdfast/nbd-conformance';
import { describe, expect, it } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { succeed } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { runHoldfast } from '../support/holdfast-program.js';
import { makeImage, MIB } from '../support/image.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';

interface Peer {
  readonly program: string;
  /** @returns the process id, once it is started */
  readonly start: (image: string, socket: string) => Promise<number>;
}

/** Other servers: what they break is theirs, but a check of them has to come to its end. */
const peers: readonly Peer[] = [
  { program: 'nbdkit', start: (image, socket) => run('nbdkit', '-f', '-U', socket, 'file', image) },
  {
    program: 'qemu-nbd',
    start: (image, socket) =>
      run('qemu-nbd', '-f', 'raw', '--persistent', '-e', '8', '-x', 'disk', '-k', socket, image),
  },
  {
    program: 'nbd-server',
    start: async (image, socket) => {
      const folder = path.dirname(socket);
      const [config, pidFile] = [path.join(folder, 'config'), path.join(folder, 'pid')];
      const port = await freePort();
      writeFileSync(
        config,
        `[generic]\nunixsock = ${socket}\nlistenaddr = 127.0.0.1\nport = ${String(port)}\nduallisten = true\n` +
          `[disk]\nexportname = ${image}\n`,
      );
      await succeed('nbd-server', ['-C', config, '-p', pidFile]);
      return eventually('the pid file of nbd-server', () => {
        try {
          return Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
        } catch {
          return undefined;
        }
      });
    },
  },
];

function run(program: string, ...args: readonly string[]): Promise<number> {
  const child = spawn(program, args, { stdio: 'ignore' });
  return Promise.resolve(child.pid ?? 0);
}

describe.each(peers)('a check of $program', ({ program, start }) => {
  const requirement = requireCommands(program);

  it.skipIf(requirement.missing)(
    `comes to its end, with a verdict on every rule ${requirement.note}`,
    async () => {
      const socket = path.join(scratchFolder(), 's');
      const pid = await start(makeImage(4 * MIB), socket);
      atEnd(() => {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended already.
        }
      });
      const uri = `nbd+unix:///disk?socket=${socket}`;
      const { stdout } = await eventually('the server', async () => {
        const finished = await runHoldfast(['nbd', 'check', uri, '--timeout', '1', '--json']);
        return finished.code === 1 ? undefined : finished;
      });
      const { verdicts } = JSON.parse(stdout) as { readonly verdicts: readonly { readonly rule: string }[] };
      expect([...new Set(verdicts.map(({ rule }) => rule))]).toEqual(probes.map(({ rule }) => rule));
    },
  );
});
