/**
 * How many of an engine's threads do not sleep, counted in memory that they share. It says whether a thread that looks for
 * its next request keeps another from a core.
 */
export class AwakeThreads {
  readonly memory: SharedArrayBuffer;
  readonly #count: Int32Array;

  constructor(memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#count = new Int32Array(memory);
  }

  get count(): number {
    return Atomics.load(this.#count, 0);
  }

  /** One more: a session has begun, or something came for it. */
  wake(): void {
    Atomics.add(this.#count, 0, 1);
  }

  /** One less: it waits, or is over. */
  sleep(): void {
    Atomics.sub(this.#count, 0, 1);
  }
}
