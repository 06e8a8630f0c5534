import type { TransmissionMachine } from '@holdfast/nbd-protocol';

/** Words of the shared memory that a session's engine and the rest of the worker both see. */
const Word = { stopping: 0, fenced: 1, pausesEnd: 2 } as const;
const FLAG_BYTES = 16;
const Counter = { requests: 0, bytesRead: 1, bytesWritten: 2, errors: 3, lastRequestMs: 4 } as const;
const COUNTERS = 5;

/** What a session has done, as the API reports it. */
export interface SessionCounters {
  readonly requests: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly errors: number;
  /** When requests were last answered, in milliseconds since 1970; 0 before the first. */
  readonly lastRequestMs: number;
}

/**
 * The line to a running session across threads: two flags towards it, counters from it. A thread that sits in a
 * system call reads no messages, so both go through shared memory.
 */
export class SessionControl {
  readonly memory: SharedArrayBuffer;
  readonly #flags: Int32Array;
  readonly #counters: Float64Array;
  #endPause: (() => void) | undefined;

  constructor(memory = new SharedArrayBuffer(FLAG_BYTES + COUNTERS * Float64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#flags = new Int32Array(memory, 0, 3);
    this.#counters = new Float64Array(memory, FLAG_BYTES, COUNTERS);
  }

  /** New requests are to be answered with ESHUTDOWN (T16). */
  requestStop(): void {
    Atomics.store(this.#flags, Word.stopping, 1);
    this.#endPauses();
  }

  get stopping(): boolean {
    return Atomics.load(this.#flags, Word.stopping) === 1;
  }

  /** Nothing more of this session may touch the device (T17). */
  fence(): void {
    Atomics.store(this.#flags, Word.fenced, 1);
    this.#endPauses();
  }

  get fenced(): boolean {
    return Atomics.load(this.#flags, Word.fenced) === 1;
  }

  /** Blocks an I/O thread for `ms`, or until the session is stopped or fenced. */
  pause(ms: number): void {
    Atomics.wait(this.#flags, Word.pausesEnd, 0, ms);
  }

  /** The same on the event loop, by the object through which the session is stopped or fenced. */
  async pauseOnLoop(ms: number): Promise<void> {
    if (Atomics.load(this.#flags, Word.pausesEnd) === 1) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endPause = undefined;
  }

  /** Called by the engine between batches: plain stores, since only the totals matter. */
  publish(counters: TransmissionMachine['counters']): void {
    if (counters.requests !== this.#counters[Counter.requests]) {
      this.#counters[Counter.lastRequestMs] = Date.now();
    }
    this.#counters[Counter.requests] = counters.requests;
    this.#counters[Counter.bytesRead] = counters.bytesRead;
    this.#counters[Counter.bytesWritten] = counters.bytesWritten;
    this.#counters[Counter.errors] = counters.errors;
  }

  get counters(): SessionCounters {
    return {
      requests: this.#counters[Counter.requests] ?? 0,
      bytesRead: this.#counters[Counter.bytesRead] ?? 0,
      bytesWritten: this.#counters[Counter.bytesWritten] ?? 0,
      errors: this.#counters[Counter.errors] ?? 0,
      lastRequestMs: this.#counters[Counter.lastRequestMs] ?? 0,
    };
  }

  /** There is no pause from now on: whoever is asked to stop is not to wait. */
  #endPauses(): void {
    Atomics.store(this.#flags, Word.pausesEnd, 1);
    Atomics.notify(this.#flags, Word.pausesEnd);
    this.#endPause?.();
  }
}
