import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectSocket, createServer, type AddressInfo } from 'node:net';
import { onTestFinished, type TestContext } from 'vitest';

/** Skips the test, visibly, where a program of Debian is missing. */
export function needs(context: TestContext, ...programs: readonly string[]): void {
  for (const program of programs) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
      context.skip(`${program} is not installed`);
  }
}

/** A TCP port that nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Where a server is to listen. */
export type Place = { readonly path: string } | { readonly port: number };

/** Runs a server until the end of the test. @returns once it takes connections */
export async function startServer(command: readonly [string, ...string[]], place: Place): Promise<void> {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (bytes: Buffer) => {
    words += bytes.toString();
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    // Nothing of a test is worth waiting for.
    child.kill('SIGKILL');
    await exited;
  });
  await untilListening(place, () => {
    if (child.exitCode !== null) throw new Error(`${program} has ended: ${words}`);
  });
}

/** Waits until something takes connections. @param check looks whether there is still hope */
export async function untilListening(place: Place, check: () => void = () => undefined): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    check();
    if (await accepts(place)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens at ${JSON.stringify(place)}`);
}

async function accepts(place: Place): Promise<boolean> {
  const socket = connectSocket('path' in place ? place : { ...place, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Runs a program to its end. @throws Error with what it said, unless it succeeded */
export function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  return stdout;
}
