import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { stateLayout, type StateLayout } from '@holdfast/contracts';
import { atEnd } from './cleanup.js';
import type { Finished } from './command.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { holdfastProgram, runHoldfast } from './holdfast-program.js';
import { servicesOf } from './leftovers.js';
import { childrenOf, isAlive, titleOf } from './process-facts.js';
import { parseReadyLines, type Transport } from './ready-line.js';
import { hasCommand } from './requirements.js';
import { scratchFolder } from './scratch-folder.js';

export const serviceNames = ['nbd-gateway', 'device-registry', 'io-worker', 'allocator-verifier'] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface HoldfastOptions {
  /** Paths; without any, `serve` makes its demo image. */
  readonly images?: readonly string[];
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** State folder; a new one unless told. */
  readonly state?: string;
  readonly port?: number;
  /** How `serve` is told where to listen: the option, unless told otherwise. */
  readonly listenBy?: 'option' | 'environment';
}

/** A test process that is itself killed cannot clean up: the kernel then tells the supervisor to stop. */
const DIES_WITH_TESTS: readonly [string, ...string[]] = hasCommand('setpriv')
  ? ['setpriv', '--pdeathsig', 'TERM', process.execPath]
  : [process.execPath];

const READY_MS = 40_000;
const STOP_MS = 40_000;

/** `holdfast serve` and its services as real processes. */
export class Holdfast implements AsyncDisposable {
  readonly layout: StateLayout;
  readonly #child: ChildProcess;
  readonly #output = { stdout: '', stderr: '' };
  readonly #closed: Promise<unknown>;
  readonly #undo: () => Promise<void>;

  constructor(
    readonly state: string,
    readonly port: number,
    options: HoldfastOptions,
  ) {
    this.layout = stateLayout(state);
    const { images = [], args = [], env = {}, listenBy = 'option' } = options;
    const listen = `127.0.0.1:${String(port)}`;
    const listenOption = listenBy === 'option' ? ['--listen', listen] : [];
    const listenVariable = listenBy === 'environment' ? { HOLDFAST_LISTEN: listen } : {};
    const [command, ...before] = DIES_WITH_TESTS;
    this.#child = spawn(
      command,
      [...before, holdfastProgram, 'serve', '--state', state, ...listenOption, ...args, ...images],
      // A process group of its own, as in a terminal: a signal to all of it is ^C.
      {
        env: { ...process.env, ...listenVariable, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      },
    );
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#output.stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#output.stderr += text));
    this.#closed = once(this.#child, 'close');
    this.#undo = atEnd(() => this.killEverything());
  }

  /** Process id of the supervisor. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  stdout(): string {
    return this.#output.stdout;
  }

  stderr(): string {
    return this.#output.stderr;
  }

  /** Names of the exports announced so far. */
  exports(): string[] {
    return [...parseReadyLines(this.stdout()).keys()];
  }

  /** Where a client finds an export: the one given, or the first. @throws Error when it was not announced */
  uri(transport: Transport, exportName?: string): string {
    const announced = parseReadyLines(this.stdout());
    const uris = exportName === undefined ? announced.values().next().value : announced.get(exportName);
    const uri = uris?.[transport];
    if (uri === undefined) throw new Error(`no such export was announced:\n${this.stdout()}`);
    return uri;
  }

  /** Runs the command line against this instance. */
  cli(...args: readonly string[]): Promise<Finished> {
    return runHoldfast([...args, '--state', this.state]);
  }

  /** Process ids of the services that run now, by name, as the kernel tells. */
  pids(): Map<ServiceName, number> {
    const children = childrenOf(this.pid);
    return new Map(
      serviceNames.flatMap((name) => {
        const pid = children.find((child) => titleOf(child) === `holdfast ${name}`);
        return pid === undefined ? [] : [[name, pid] as const];
      }),
    );
  }

  /** @throws Error when the service does not run */
  pidOf(service: ServiceName): number {
    const pid = this.pids().get(service);
    if (pid === undefined) throw new Error(`${service} does not run\n${this.stderr()}`);
    return pid;
  }

  /** Sends a signal to one service. @returns the process id that it had */
  kill(service: ServiceName, signal: NodeJS.Signals = 'SIGKILL'): number {
    const pid = this.pidOf(service);
    process.kill(pid, signal);
    return pid;
  }

  /** Waits until a service of that name runs under another process id. */
  restarted(service: ServiceName, before: number): Promise<number> {
    return eventually(`the restart of ${service}\n${this.stderr()}`, () => {
      const pid = this.pids().get(service);
      return pid === before ? undefined : pid;
    });
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** ^C in a terminal: SIGINT for the whole process group. */
  interrupt(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  /** Asks it to stop by SIGTERM. @returns its exit code */
  async stop(): Promise<number | null> {
    if (isAlive(this.pid)) this.signal('SIGTERM');
    return await this.exited();
  }

  /** Waits for the end of the supervisor. @returns its exit code, null after a signal */
  async exited(): Promise<number | null> {
    await eventually(
      `the end of serve\n${this.stderr()}`,
      () => this.#child.exitCode !== null || this.#child.signalCode !== null,
      STOP_MS,
    );
    await this.#closed;
    return this.#child.exitCode;
  }

  /** Waits until `count` exports are announced. @throws Error when it ends before */
  async ready(count: number): Promise<void> {
    await eventually(
      'serve to be ready',
      () => {
        if (!isAlive(this.pid)) throw new Error(`serve ended:\n${this.stderr()}${logsIn(this.layout.logs)}`);
        return this.exports().length >= count;
      },
      READY_MS,
    );
  }

  /** The processes of this instance that are alive, the supervisor first. */
  survivors(): number[] {
    return [this.pid, ...servicesOf(this.state)].filter(isAlive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo();
  }

  /** kill -9 of the supervisor, and then of every service, until none is left. */
  async killEverything(): Promise<void> {
    await eventually('the end of all processes', () => {
      const alive = this.survivors();
      for (const pid of alive) killIfAlive(pid);
      return alive.length === 0;
    });
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended since it was listed.
  }
}

/** What the services logged, for whoever has to find out why a test failed. */
function logsIn(folder: string): string {
  if (!existsSync(folder)) return '';
  return readdirSync(folder)
    .map((name) => `--- ${name}\n${readFileSync(path.join(folder, name), 'utf8')}`)
    .join('');
}

/** Starts `holdfast serve` and waits until it is ready; killed at the end of the test file, if not stopped before. */
export async function startHoldfast(options: HoldfastOptions = {}): Promise<Holdfast> {
  const holdfast = await launchHoldfast(options);
  await holdfast.ready(Math.max(1, options.images?.length ?? 0));
  return holdfast;
}

/** Starts `holdfast serve` and does not wait: for those that are not meant to become ready. */
export async function launchHoldfast(options: HoldfastOptions = {}): Promise<Holdfast> {
  const state = options.state ?? path.join(scratchFolder(), 'state');
  return new Holdfast(state, options.port ?? (await freePort()), options);
}
