import { Worker } from 'node:worker_threads';
import { assert, messageOf } from '@holdfast/foundation';
import { setBlocking } from '@holdfast/linux';
import type { Logger } from '@holdfast/service';
import type { Assignment, EndReason, Engine } from './engine.js';
import type { ThreadReport, ThreadTask } from './thread-messages.js';

/** The thread runs compiled code; beside the sources (in unit tests) there is none. */
const THREAD_MAIN = new URL('./thread-main.js', import.meta.url);

type Thread =
  | { readonly state: 'idle'; readonly worker: Worker }
  | { readonly state: 'busy'; readonly worker: Worker; readonly end: (reason: EndReason) => void };

/** One connection a thread, threads made ahead. */
export class ThreadEngine implements Engine {
  readonly name = 'thread';
  readonly #logger: Logger;
  readonly #threads = new Map<Worker, Thread>();
  #stopping = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Makes `count` threads and waits until they have loaded their code; none any more once it stops. */
  async start(count: number): Promise<void> {
    if (this.#stopping) return;
    await Promise.all(Array.from({ length: count }, () => this.#makeThread()));
  }

  get size(): number {
    return this.#threads.size;
  }

  get busy(): number {
    return [...this.#threads.values()].filter((thread) => thread.state === 'busy').length;
  }

  get available(): boolean {
    return this.#idleThread() !== undefined;
  }

  serve(assignment: Assignment): Promise<EndReason> {
    const thread = this.#idleThread();
    assert(thread !== undefined, 'serve() is called only while a thread is available');
    const { device } = assignment;
    assert(typeof device === 'number', 'a thread serves what has a descriptor');
    setBlocking(assignment.socket.number, true);
    return new Promise((resolve) => {
      this.#threads.set(thread.worker, { state: 'busy', worker: thread.worker, end: resolve });
      thread.worker.postMessage({
        socket: assignment.socket.number,
        device,
        facts: assignment.facts,
        preload: assignment.preload,
        control: assignment.control.memory,
        pins: assignment.pins,
        limit: assignment.limit?.memory,
      } satisfies ThreadTask);
    });
  }

  /** Ends the threads; all must be idle, since a thread in a system call cannot be ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    assert(this.busy === 0, 'threads are stopped after their sessions');
    await Promise.all([...this.#threads.keys()].map((worker) => worker.terminate()));
  }

  #idleThread(): Thread | undefined {
    for (const thread of this.#threads.values()) if (thread.state === 'idle') return thread;
    return undefined;
  }

  #makeThread(): Promise<void> {
    return new Promise((ready, failed) => {
      const worker = new Worker(THREAD_MAIN);
      worker.on('message', (report: ThreadReport) => {
        switch (report.kind) {
          case 'ready':
            this.#threads.set(worker, { state: 'idle', worker });
            ready();
            break;
          case 'ended':
            this.#release(worker, report.reason);
            break;
        }
      });
      worker.on('error', (error) => {
        this.#logger.error({ err: error }, 'an I/O thread failed');
        failed(error);
      });
      worker.on('exit', () => {
        this.#replace(worker);
      });
    });
  }

  #release(worker: Worker, reason: EndReason): void {
    const thread = this.#threads.get(worker);
    assert(thread?.state === 'busy', 'only a busy thread reports an end');
    this.#threads.set(worker, { state: 'idle', worker });
    thread.end(reason);
  }

  /** A thread that ended by itself takes its session with it and is made anew. */
  #replace(worker: Worker): void {
    const thread = this.#threads.get(worker);
    this.#threads.delete(worker);
    if (thread?.state === 'busy') thread.end('internal-error');
    if (this.#stopping || thread === undefined) return;
    this.#makeThread().catch((error: unknown) => {
      this.#logger.error(`no new I/O thread: ${messageOf(error)}`);
    });
  }
}
