import type { TransmissionMachine } from '@holdfast/nbd-protocol';

/** Words of the shared memory that a session's engine and the rest of the worker both see. */
const Word = { stopping: 0, fenced: 1, pausing: 2, assumesPayloads: 3, waitsEnd: 4, refuses: 5 } as const;
/** Words of four bytes, an even number of them: the counters follow. */
const FLAG_BYTES = 24;
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

const NOTHING_DONE: SessionCounters = {
  requests: 0,
  bytesRead: 0,
  bytesWritten: 0,
  errors: 0,
  lastRequestMs: 0,
};

/**
 * The line to a running session across threads: flags towards it, counters from it. A thread that sits in a system call
 * reads no messages, so both go through shared memory.
 */
export class SessionControl {
  readonly memory: SharedArrayBuffer;
  /** Wakes the engine that serves the session while it waits for the client; the engine's own. */
  wake: () => void = () => undefined;
  /** After a pause: what the engine had received and not decoded, to be preloaded when it goes on. */
  undecoded: Uint8Array = new Uint8Array();
  readonly #flags: Int32Array;
  readonly #counters: Float64Array;
  #endWait: (() => void) | undefined;
  /** What had been done when the machine that serves it now began. */
  #before = NOTHING_DONE;

  constructor(memory = new SharedArrayBuffer(FLAG_BYTES + COUNTERS * Float64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#flags = new Int32Array(memory, 0, FLAG_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#counters = new Float64Array(memory, FLAG_BYTES, COUNTERS);
  }

  /** New requests are to be answered with ESHUTDOWN (T16). */
  requestStop(): void {
    Atomics.store(this.#flags, Word.stopping, 1);
    this.#endWaits();
  }

  get stopping(): boolean {
    return Atomics.load(this.#flags, Word.stopping) === 1;
  }

  /** Nothing more of this session may touch the device (T17). */
  fence(): void {
    Atomics.store(this.#flags, Word.fenced, 1);
    this.#endWaits();
  }

  get fenced(): boolean {
    return Atomics.load(this.#flags, Word.fenced) === 1;
  }

  /** Blocks an I/O thread for `ms`, or until the session is stopped or fenced. */
  wait(ms: number): void {
    Atomics.wait(this.#flags, Word.waitsEnd, 0, ms);
  }

  /** The same on the event loop, by the object through which the session is stopped or fenced. */
  async waitOnLoop(ms: number): Promise<void> {
    if (Atomics.load(this.#flags, Word.waitsEnd) === 1) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endWait = undefined;
  }

  /** The engine is to stop where it stands between two requests, and leave the socket as it is. */
  requestPause(): void {
    Atomics.store(this.#flags, Word.pausing, 1);
    this.wake();
  }

  /** It goes on after all, or again. */
  cancelPause(): void {
    Atomics.store(this.#flags, Word.pausing, 0);
  }

  get pausing(): boolean {
    return Atomics.load(this.#flags, Word.pausing) === 1;
  }

  /** It was stopped before it came to rest: whoever serves it next refuses all that is left of it as well (T16). */
  get refuses(): boolean {
    return Atomics.load(this.#flags, Word.refuses) === 1;
  }

  set refuses(refuses: boolean) {
    Atomics.store(this.#flags, Word.refuses, refuses ? 1 : 0);
  }

  /** The client's WRITEs have payloads though it does not say so: known to whoever serves it next. */
  get assumesPayloads(): boolean {
    return Atomics.load(this.#flags, Word.assumesPayloads) === 1;
  }

  set assumesPayloads(assumes: boolean) {
    Atomics.store(this.#flags, Word.assumesPayloads, assumes ? 1 : 0);
  }

  /** Called by the engine before the first batch: its machine counts from zero, the session does not. */
  beginCounting(): void {
    this.#before = this.counters;
  }

  /** Called by the engine between batches: plain stores, since only the totals matter. */
  publish(counters: TransmissionMachine['counters']): void {
    const before = this.#before;
    const requests = before.requests + counters.requests;
    if (requests !== this.#counters[Counter.requests]) this.#counters[Counter.lastRequestMs] = Date.now();
    this.#counters[Counter.requests] = requests;
    this.#counters[Counter.bytesRead] = before.bytesRead + counters.bytesRead;
    this.#counters[Counter.bytesWritten] = before.bytesWritten + counters.bytesWritten;
    this.#counters[Counter.errors] = before.errors + counters.errors;
  }

  /** What the session had done in another process. */
  restore(counters: SessionCounters): void {
    for (const [name, at] of Object.entries(Counter)) {
      this.#counters[at] = counters[name as keyof SessionCounters];
    }
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

  /** There are no waits from now on: whoever is asked to stop is not to wait. */
  #endWaits(): void {
    Atomics.store(this.#flags, Word.waitsEnd, 1);
    Atomics.notify(this.#flags, Word.waitsEnd);
    this.#endWait?.();
  }
}
