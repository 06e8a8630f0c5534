import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { atEnd } from './cleanup.js';
import { eventually } from './eventually.js';
import { osThreads } from './process-facts.js';
import { hasCommand, requirement, type Requirement } from './requirements.js';
import { scratchFolder } from './scratch-folder.js';

/** strace, and the right to look into another process. */
export const requireStrace: Requirement = requirement({
  strace: hasCommand('strace'),
  'the right to trace': hasCommand('strace') && mayTrace(),
});

/** One system call as strace saw it: where in the whole trace it began, and where it was done. */
export interface Call {
  readonly name: string;
  /** The line as strace writes it, put together if it was interrupted by others. */
  readonly text: string;
  readonly began: number;
  readonly done: number;
}

/** The system calls of a process and all its threads, from now on. */
export interface Trace {
  /** Every call that is done so far, in the order in which they began. */
  calls(): Call[];
  stop(): Promise<void>;
}

/** Attaches to a process. @param names system calls to look at */
export async function trace(pid: number, names: readonly string[]): Promise<Trace> {
  const output = path.join(scratchFolder(), 'trace');
  // -y: descriptors with their paths. Every line is flushed before the call's thread goes on.
  const args = ['-f', '-y', '-s', '16', '-e', `trace=${names.join(',')}`, '-o', output, '-p', String(pid)];
  const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const kill = atEnd(() => void child.kill('SIGINT'));
  await eventually('strace to attach to every thread', () => {
    if (child.exitCode !== null) throw new Error(`strace ended: ${said}`);
    const attached = Number(/attached with (\d+) threads/.exec(said)?.[1] ?? 0);
    return attached >= osThreads(pid);
  });
  return {
    calls: () => parseTrace(existsSync(output) ? readFileSync(output, 'utf8') : ''),
    stop: async () => {
      await kill();
      await eventually('strace to end', () => child.exitCode !== null || child.signalCode !== null);
    },
  };
}

function parseTrace(text: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { text: string; began: number }>();
  for (const [at, line] of text.split('\n').entries()) {
    const [, thread = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(call)?.[1];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(call)?.[1];
    if (begun !== undefined) unfinished.set(thread, { text: begun, began: at });
    else if (resumed !== undefined) {
      const first = unfinished.get(thread);
      if (first !== undefined) calls.push({ ...named(first.text + resumed), began: first.began, done: at });
    } else if (/^\w+\(/.test(call)) calls.push({ ...named(call), began: at, done: at });
  }
  return calls.sort((a, b) => a.began - b.began);
}

function named(text: string): { name: string; text: string } {
  return { name: text.slice(0, text.indexOf('(')), text };
}

function mayTrace(): boolean {
  const child = spawn('sleep', ['10'], { stdio: 'ignore' });
  try {
    const args = ['1', 'strace', '-p', String(child.pid)];
    return spawnSync('timeout', args, { encoding: 'utf8' }).stderr.includes('attached');
  } finally {
    child.kill();
  }
}
