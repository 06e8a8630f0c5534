import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { checkHealth, type ServingStatus } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import type { ServiceName } from '../client/endpoints.js';
import { Backoff } from './backoff.js';
import { type LastWords, LogTail } from './log-tail.js';
import { FRUGAL_ENVIRONMENT, FRUGAL_OPTIONS } from './service-memory.js';

const READY_POLL_MS = 20;

/** How long a process that was replaced may take to end. */
const REPLACED_MS = 5_000;

/** From the death of a new process: one that had handed everything over to it has ended by then, by itself. */
const OLD_ENDS_MS = 1_500;

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

/** A process of the service. */
interface Started {
  readonly child: ChildProcess;
  readonly since: number;
  readonly tail: LogTail;
  /** Its end, in words. */
  readonly ended: Promise<string>;
}

type State =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'running'; readonly started: Started }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout };

/** How a service is replaced by a new process of itself that takes over from it. */
export interface Replacement {
  /** Tells the new process what it is to do, beside what every process of the service is told. */
  readonly environment: NodeJS.ProcessEnv;
  /** Whether the new process has taken over. */
  readonly hasTakenOver: (pid: number) => Promise<boolean>;
  /** Milliseconds in which it must. */
  readonly deadlineMs: number;
}

/** One service as a child process: started, watched, started again when it dies, stopped when asked. */
export class ServiceProcess {
  readonly #launch: ServiceLaunch;
  readonly #say: (sentence: string) => void;
  readonly #backoff = new Backoff();
  #state: State = { kind: 'stopped' };
  #ready = false;
  #stopping = false;
  /** The replacement under way; never rejects. */
  #replacing: Promise<unknown> | undefined;
  /** Why it ended the last time. */
  #lastWords: LastWords | undefined;

  /** @param say tells the user what happens to the service */
  constructor(launch: ServiceLaunch, say: (sentence: string) => void) {
    this.#launch = launch;
    this.#say = say;
  }

  start(): void {
    this.#state = { kind: 'running', started: this.#spawn({}) };
  }

  /**
   * Starts a second process, which takes over from the one that runs, and waits for it. From then on it is the service.
   *
   * @throws HoldfastError UPGRADE_FAILED when it does not, and is no more; the one that ran before goes on
   */
  async replace(replacement: Replacement): Promise<void> {
    if (this.#state.kind !== 'running' || !this.#ready || this.#stopping) {
      throw upgradeFailed(`${this.#launch.name} does not run`);
    }
    if (this.#replacing !== undefined) throw upgradeFailed('another upgrade is under way');
    const replacing = this.#replace(this.#state.started, replacement);
    this.#replacing = replacing.catch(() => undefined);
    try {
      await replacing;
    } finally {
      this.#replacing = undefined;
    }
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
    if (this.#replacing !== undefined) {
      // Either the old process has handed everything over, and ends, or it calls that off.
      if (this.#state.kind === 'running') this.#state.started.child.kill('SIGTERM');
      await this.#replacing;
    }
    if (this.#state.kind !== 'running') return;
    const { child, ended } = this.#state.started;
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.#say(`${this.#launch.name} does not stop; killing it`);
      child.kill('SIGKILL');
    }, this.#launch.killAfterMs);
    await ended;
    clearTimeout(timer);
  }

  #spawn(more: NodeJS.ProcessEnv): Started {
    const { name, main, environment, log } = this.#launch;
    // Traces in its log name the TypeScript that was written, not the bundle.
    const child = spawn(process.execPath, ['--enable-source-maps', ...FRUGAL_OPTIONS, main], {
      env: { ...FRUGAL_ENVIRONMENT, ...process.env, ...environment, ...more, HOLDFAST_SUPERVISED: '1' },
      // Standard input is the life line: its end tells the service that the supervisor is gone.
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const tail = new LogTail(child.stderr, log);
    // A write to a child that just died; its exit is what counts.
    child.stdin.on('error', () => undefined);
    child.once('error', (error) => {
      this.#say(`${name} cannot be started: ${error.message}`);
    });
    const ended = new Promise<string>((resolve) => {
      child.once('close', (code, signal) => {
        resolve(signal ?? `exit code ${String(code)}`);
      });
    });
    const started = { child, since: Date.now(), tail, ended };
    void ended.then((how) => {
      this.#ended(started, how);
    });
    return started;
  }

  async #replace(old: Started, { environment, hasTakenOver, deadlineMs }: Replacement): Promise<void> {
    const next = this.#spawn(environment);
    const { pid = 0 } = next.child;
    let isOver = false as boolean;
    const takesOver = until(
      () => hasTakenOver(pid),
      deadlineMs,
      () => isOver,
    );
    const outcome = await Promise.race([takesOver, next.ended.then((how) => ({ how }))]);
    isOver = true;
    if (outcome === 'yes') {
      this.#state = { kind: 'running', started: next };
      await this.#endOf(old);
      // It may have died meanwhile, which was not mended.
      if (this.#hasStopped()) this.#mend(next, await next.ended);
      return;
    }
    const how =
      outcome === 'late' ? `it did not take over within ${String(deadlineMs / 1000)} s` : outcome.how;
    if (outcome === 'late') next.child.kill('SIGKILL');
    await next.ended;
    const { fatal } = next.tail;
    // The old worker's own account of why it called the handover off.
    if (fatal?.code === 'UPGRADE_FAILED') throw new HoldfastError(fatal.code, fatal.message);
    // One that had handed everything over before the new one died ends by itself.
    await Promise.race([old.ended, delay(OLD_ENDS_MS)]);
    if (!this.#hasStopped()) {
      throw upgradeFailed(`the new process ended (${fatal?.message ?? how})`);
    }
    // The old one has ended as well, which was not mended meanwhile.
    this.#mend(old, await old.ended);
    throw new HoldfastError(
      'UPGRADE_FAILED',
      `${this.#launch.name} ended in the middle of the upgrade, and is started again`,
    );
  }

  /** Its end in the middle of a replacement is mended by whoever replaces. */
  #hasStopped(): boolean {
    return this.#state.kind === 'stopped';
  }

  /** One that has been replaced ends by itself, or is killed: it has nothing any more. */
  async #endOf({ child, ended }: Started): Promise<void> {
    const timer = setTimeout(() => child.kill('SIGKILL'), REPLACED_MS);
    await ended;
    clearTimeout(timer);
  }

  #ended(started: Started, how: string): void {
    if (this.#state.kind !== 'running' || this.#state.started !== started) return;
    this.#lastWords = started.tail.fatal ?? {
      message: `${this.#launch.name} ended (${how}) and said nothing; see its log`,
    };
    this.#state = { kind: 'stopped' };
    // Whether its successor has taken over is still open.
    if (this.#replacing === undefined) this.#mend(started, how);
  }

  #mend({ since, tail }: Started, how: string): void {
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

/** Asks again and again, unless it has become vain; whoever cannot answer has not answered yes. */
async function until(
  probe: () => Promise<boolean>,
  deadlineMs: number,
  isVain: () => boolean,
): Promise<'yes' | 'late'> {
  const deadline = Date.now() + deadlineMs;
  while (Date.now() < deadline && !isVain()) {
    if (await probe().catch(() => false)) return 'yes';
    await delay(READY_POLL_MS);
  }
  return 'late';
}

function upgradeFailed(why: string): HoldfastError {
  return new HoldfastError(
    'UPGRADE_FAILED',
    `the worker was not upgraded, and everything goes on as before: ${why}`,
  );
}
