import { Worker } from 'node:worker_threads';
import { assert, messageOf } from '@holdfast/foundation';
import { setBlocking, WakeBell } from '@holdfast/linux';
import type { Logger } from '@holdfast/service';
import { BlockLock, HELD_LOCKS_BYTES } from '../direct/block-lock.js';
import { AwakeThreads } from './awake-threads.js';
import type { Assignment, Engine, ServeOutcome } from './engine.js';
import type { ThreadMemory, ThreadReport, ThreadTask } from './thread-messages.js';

/** The thread runs compiled code; beside the sources (in unit tests) there is none. */
const THREAD_MAIN = new URL('./thread-main.js', import.meta.url);

interface MadeThread {
  readonly worker: Worker;
  /** Rung when the session that it serves is to pause. */
  readonly bell: WakeBell;
  /** What it has locked of a device. */
  readonly heldLocks: SharedArrayBuffer;
}

type Thread = MadeThread &
  (
    | { readonly state: 'idle' }
    | {
        readonly state: 'busy';
        readonly assignment: Assignment;
        readonly end: (outcome: ServeOutcome) => void;
      }
  );

/** One connection a thread, threads made ahead. */
export class ThreadEngine implements Engine {
  readonly name = 'thread';
  readonly #logger: Logger;
  readonly #threads = new Map<Worker, Thread>();
  readonly #awake = new AwakeThreads();
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

  serve(assignment: Assignment): Promise<ServeOutcome> {
    const thread = this.#idleThread();
    assert(thread !== undefined, 'serve() is called only while a thread is available');
    const { device } = assignment;
    assert(typeof device === 'number', 'a thread serves what has a descriptor');
    setBlocking(assignment.socket.number, true);
    const { worker, bell, heldLocks } = thread;
    assignment.control.wake = () => {
      bell.ring();
    };
    return new Promise((resolve) => {
      this.#threads.set(worker, { state: 'busy', worker, bell, heldLocks, assignment, end: resolve });
      worker.postMessage({
        socket: assignment.socket.number,
        device,
        direct: assignment.direct,
        facts: assignment.facts,
        preload: assignment.preload,
        control: assignment.control.memory,
        pins: assignment.pins,
        limit: assignment.limit?.memory,
        bell: bell.number,
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
      const heldLocks = new SharedArrayBuffer(HELD_LOCKS_BYTES);
      const workerData: ThreadMemory = { awake: this.#awake.memory, heldLocks };
      const worker = new Worker(THREAD_MAIN, { workerData });
      const bell = new WakeBell();
      worker.on('message', (report: ThreadReport) => {
        switch (report.kind) {
          case 'ready':
            this.#threads.set(worker, { state: 'idle', worker, bell, heldLocks });
            ready();
            break;
          case 'ended':
            this.#release(worker, report.reason);
            break;
          case 'paused':
            this.#release(worker, 'paused', report.undecoded);
            break;
        }
      });
      worker.on('error', (error) => {
        this.#logger.error({ err: error }, 'an I/O thread failed');
        failed(error);
      });
      worker.on('exit', () => {
        this.#replace(worker);
        bell.close();
      });
    });
  }

  #release(worker: Worker, outcome: ServeOutcome, undecoded: Uint8Array = new Uint8Array()): void {
    const thread = this.#threads.get(worker);
    assert(thread?.state === 'busy', 'only a busy thread reports an end');
    const { bell, heldLocks, assignment, end } = thread;
    assignment.control.wake = () => undefined;
    assignment.control.undecoded = undecoded;
    this.#threads.set(worker, { state: 'idle', worker, bell, heldLocks });
    end(outcome);
  }

  /** A thread that ended by itself takes its session with it and is made anew. */
  #replace(worker: Worker): void {
    const thread = this.#threads.get(worker);
    this.#threads.delete(worker);
    if (thread?.state === 'busy') {
      const { assignment, end, heldLocks } = thread;
      assignment.control.wake = () => undefined;
      if (assignment.direct !== undefined) new BlockLock(assignment.direct.lock).releaseOf(heldLocks);
      end('internal-error');
    }
    if (this.#stopping || thread === undefined) return;
    this.#makeThread().catch((error: unknown) => {
      this.#logger.error(`no new I/O thread: ${messageOf(error)}`);
    });
  }
}
