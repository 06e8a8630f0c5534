import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { atEnd } from '../support/cleanup.js';
import { start, succeed, type Running } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { scratchFolder } from '../support/scratch-folder.js';

/** A server of somebody else, and where its export is. */
export interface Server {
  readonly uri: string;
  /** kill -9. */
  readonly kill: () => Promise<void>;
  /** Of those that stay in the foreground. */
  readonly signal?: (signal: NodeJS.Signals) => void;
}

/** Longer than any test. */
const LIFETIME_MS = 600_000;

/** Starts programs of another folder than this machine's: `[interpreter, script]`; none for those of this machine. */
export type Launcher = readonly string[];

/** nbdkit on a Unix socket. @param args filters, the plugin and its parameters */
export async function serveNbdkit(
  args: readonly string[],
  { socket = newSocket(), launcher = [] }: { socket?: string; launcher?: Launcher } = {},
): Promise<Server> {
  return listening([...launcher, 'nbdkit', '-f', '-U', socket, ...args], socket, '');
}

/** qemu-nbd on a Unix socket. @param args options, and the image */
export async function serveQemu(
  args: readonly string[],
  launcher: Launcher = [],
  socket = newSocket(),
): Promise<Server> {
  return listening([...launcher, 'qemu-nbd', '-t', '-e', '16', '-k', socket, ...args], socket, '');
}

/** nbd-server over TCP, which goes into the background by itself. */
export async function serveNbdServer(image: string, onPort?: number): Promise<Server> {
  const folder = scratchFolder();
  const port = onPort ?? (await freePort());
  const config = path.join(folder, 'config');
  const pidFile = path.join(folder, 'pid');
  const lines = ['[generic]', `port = ${String(port)}`, 'listenaddr = 127.0.0.1', 'allowlist = true'];
  const section = ['[disk]', `exportname = ${image}`, 'flush = true', 'fua = true', 'trim = true'];
  writeFileSync(config, [...lines, ...section, ''].join('\n'));
  await succeed('nbd-server', ['-C', config, '-p', pidFile]);
  const kill = atEnd(() => {
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
  });
  await eventually('nbd-server to listen', () => accepts({ port, host: '127.0.0.1' }));
  return { uri: `nbd://127.0.0.1:${String(port)}/disk`, kill };
}

/** The URI of an export on a Unix socket. */
export function unixUri(socket: string, exportName = '', parameters = ''): string {
  const scheme = parameters === '' ? 'nbd+unix' : 'nbds+unix';
  return `${scheme}:///${exportName}?socket=${socket}${parameters}`;
}

export function newSocket(): string {
  return path.join(scratchFolder(), 'nbd.sock');
}

async function listening(command: readonly string[], socket: string, exportName: string): Promise<Server> {
  const [program = '', ...args] = command;
  const running: Running = start(program, args, { timeoutMs: LIFETIME_MS });
  await eventually(
    `${command.join(' ')} to listen`,
    () => {
      if (running.child.exitCode !== null) throw new Error(`${program} ended: ${running.output().stderr}`);
      return accepts({ path: socket });
    },
    60_000,
  );
  const kill = async () => {
    running.child.kill('SIGKILL');
    await running.finished;
  };
  const signal = (name: NodeJS.Signals) => void running.child.kill(name);
  return { uri: unixUri(socket, exportName), kill, signal };
}

async function accepts(place: { path: string } | { port: number; host: string }): Promise<boolean> {
  const socket = connect(place);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
