import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onTestFinished, vi } from 'vitest';

/** One line of a service's log, as far as tests look at it. */
export interface LogEntry {
  readonly level: number;
  readonly msg: string;
  readonly code?: string;
  readonly deadlineMs?: number;
}

const FATAL = 60;

/** A service as a process of its own. It runs the compiled code, so the build comes before these tests. */
export class Child {
  readonly process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #stdout = '';
  #stderr = '';

  constructor(name: string, environment: NodeJS.ProcessEnv) {
    const script = fileURLToPath(new URL(`../../dist/testing/children/${name}.js`, import.meta.url));
    if (!existsSync(script)) throw new Error(`${script} is missing: build before testing`);
    const child = spawn(process.execPath, [script], {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    child.stdin.on('error', () => undefined);
    this.#ended = once(child, 'close');
    this.process = child;
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await this.#ended;
    });
  }

  /** What it printed, line by line. */
  get said(): string[] {
    return this.#stdout.split('\n').slice(0, -1);
  }

  get log(): LogEntry[] {
    return this.#stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogEntry);
  }

  get lastWords(): LogEntry[] {
    return this.log.filter(({ level }) => level === FATAL);
  }

  /** Waits until it has printed `line`. */
  async says(line: string): Promise<void> {
    await vi.waitUntil(() => this.said.includes(line), { timeout: 10_000, interval: 5 });
  }

  /** Exit code, or the signal that ended it. */
  async ended(): Promise<number | string | null> {
    await this.#ended;
    return this.process.exitCode ?? this.process.signalCode;
  }
}
