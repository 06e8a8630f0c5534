import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { atEnd } from './cleanup.js';

export interface CommandOptions {
  /** Killed after this long, which is a failure of its own. */
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command under way. */
export interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly finished: Promise<Finished>;
  /** What it has printed so far. */
  output(): { readonly stdout: string; readonly stderr: string };
}

const TIMEOUT_MS = 100_000;

/** Starts a program; it is killed at the end of the test file if it still runs then. */
export function start(command: string, args: readonly string[], options: CommandOptions = {}): Running {
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const kill = atEnd(() => void child.kill('SIGKILL'));
  const finished = new Promise<Finished>((resolve, reject) => {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    const timer = setTimeout(() => {
      void kill();
      reject(
        new Error(`${line()} took longer than ${String(timeoutMs)} ms\n${output.stdout}${output.stderr}`),
      );
    }, timeoutMs);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      void kill();
      resolve({ code, signal, ...output });
    });
  });
  const line = () => [command, ...args].join(' ');
  // Whoever started it may look at the end later, or never.
  finished.catch(() => undefined);
  return { child, finished, output: () => ({ ...output }) };
}

/** Runs a program to its end, whatever its exit code. */
export function run(command: string, args: readonly string[], options?: CommandOptions): Promise<Finished> {
  return start(command, args, options).finished;
}

/** Runs a program that has to end with 0. @throws Error with all that it printed */
export async function succeed(
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<Finished> {
  const finished = await run(command, args, options);
  if (finished.code === 0) return finished;
  const how = finished.signal ?? `exit code ${String(finished.code)}`;
  throw new Error(`${[command, ...args].join(' ')}: ${how}\n${finished.stdout}${finished.stderr}`);
}
