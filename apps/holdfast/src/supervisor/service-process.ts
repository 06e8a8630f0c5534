import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { checkHealth, type ServingStatus } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import type { ServiceName } from '../client/endpoints.js';
import { Backoff } from './backoff.js';
import { type LastWords, LogTail } from './log-tail.js';

const READY_POLL_MS = 20;

export interface ServiceLaunch {
  readonly name: ServiceName;
  /** Path of its main module. */
  readonly main: string;
  readonly environment: NodeJS.ProcessEnv;
  /** gRPC target under which it answers. */
  readonly address: string;
  readonly log: Writable;
  /** How long it may take to stop before it is killed. */
  readonly killAfterMs: number;
}

type State =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'running'; readonly child: ChildProcess; readonly since: number; readonly tail: LogTail }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout };

/** One service as a child process: started, watched, started again when it dies, stopped when asked. */
export class ServiceProcess {
  readonly #launch: ServiceLaunch;
  readonly #say: (sentence: string) => void;
  readonly #backoff = new Backoff();
  #state: State = { kind: 'stopped' };
  #ready = false;
  #stopping = false;
  /** Why it ended the last time. */
  #lastWords: LastWords | undefined;

  /** @param say tells the user what happens to the service */
  constructor(launch: ServiceLaunch, say: (sentence: string) => void) {
    this.#launch = launch;
    this.#say = say;
  }

  start(): void {
    const { name, main, environment, log } = this.#launch;
    // Traces in its log name the TypeScript that was written, not the bundle.
    const child = spawn(process.execPath, ['--enable-source-maps', main], {
      env: { ...process.env, ...environment, HOLDFAST_SUPERVISED: '1' },
      // Standard input is the life line: its end tells the service that the supervisor is gone.
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const tail = new LogTail(child.stderr, log);
    this.#state = { kind: 'running', child, since: Date.now(), tail };
    // A write to a child that just died; its exit is what counts.
    child.stdin.on('error', () => undefined);
    child.once('error', (error) => {
      this.#say(`${name} cannot be started: ${error.message}`);
    });
    child.once('close', (code, signal) => {
      this.#ended(signal ?? `exit code ${String(code)}`);
    });
  }

  /**
   * Resolves when the service is ready.
   *
   * @throws HoldfastError with the service's own last words when it ends before
   */
  async ready(deadlineMs: number): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    while (Date.now() < deadline) {
      if (this.#state.kind !== 'running') break;
      const status = await this.#health();
      if (status === 'SERVING') {
        this.#ready = true;
        return;
      }
      await delay(READY_POLL_MS);
    }
    const { message, code = 'SERVICE_FAILED' } = this.#lastWords ?? {
      message: `${this.#launch.name} was not ready within ${String(deadlineMs / 1000)} s`,
    };
    throw new HoldfastError(code, message, { service: this.#launch.name });
  }

  /** Asked only once its socket is there: a refused gRPC channel costs more than the service's own start. */
  async #health(): Promise<ServingStatus> {
    const { address } = this.#launch;
    if (address.startsWith('unix:') && !existsSync(address.slice('unix:'.length))) return 'UNKNOWN';
    return checkHealth(address, { deadlineMs: 1_000 }).catch(() => 'UNKNOWN' as const);
  }

  /** From now on its end is no surprise, and it is not started again. */
  expectEnd(): void {
    this.#stopping = true;
    if (this.#state.kind === 'waiting') clearTimeout(this.#state.timer);
  }

  /** Asks it to stop and waits for its end; one that does not end is killed. */
  async stop(): Promise<void> {
    this.expectEnd();
    if (this.#state.kind !== 'running') return;
    const { child } = this.#state;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.#say(`${this.#launch.name} does not stop; killing it`);
      child.kill('SIGKILL');
    }, this.#launch.killAfterMs);
    await closed;
    clearTimeout(timer);
  }

  #ended(how: string): void {
    if (this.#state.kind !== 'running') return;
    const { since, tail } = this.#state;
    this.#lastWords = tail.fatal ?? {
      message: `${this.#launch.name} ended (${how}) and said nothing; see its log`,
    };
    this.#state = { kind: 'stopped' };
    // One that was never ready has a reason that a restart does not mend: ready() tells it.
    if (this.#stopping || !this.#ready) return;
    const delayMs = this.#backoff.delayMs(Date.now() - since);
    const why = tail.fatal === undefined ? how : `${how}: ${tail.fatal.message}`;
    this.#say(`${this.#launch.name} ended (${why}); starting it again in ${String(delayMs / 1000)} s`);
    const timer = setTimeout(() => {
      this.start();
    }, delayMs);
    this.#state = { kind: 'waiting', timer };
  }
}
