import { assert } from '@holdfast/foundation';
import { NO_LIMIT, type RateLimit } from './rate-limit.js';

const NANOS_PER_SECOND = 1e9;
const NANOS_PER_MS = 1_000_000n;

/** Words of one setting of the limit, 64 bits each. `…Paid`: until when what was taken is paid for, in nanoseconds. */
const Word = { iops: 0, bytesPerSecond: 1, burst: 2, requestsPaid: 3, bytesPaid: 4 } as const;
const WORDS = 5;

/** Settings that are kept: a thread that takes from one which is no longer valid is done long before it is used again. */
const SETTINGS = 8;
const HEADER_BYTES = 8;
/** Words of the header, 32 bits each. */
const Header = { generation: 0, latest: 1 } as const;

/**
 * A rate limit in shared memory, from which sessions of all threads take with atomic operations alone. The clock is
 * given, in nanoseconds, the same for all of them.
 *
 * Two token buckets, of requests and of bytes, each one number: the time until when all that was taken is paid for at the
 * rate (virtual scheduling, ITU-T I.371). Whoever takes moves it on by the cost, and may begin when it was before; so
 * those who wait are served in the order in which they asked. It is never further back than the burst: that much is
 * saved. A request may cost more than the burst: it is begun when nothing is owed, and those behind it wait.
 *
 * A change begins with full buckets at another place: what is owed at the old rate is forgiven.
 */
export class SharedLimit {
  readonly memory: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #settings: readonly BigInt64Array[];

  constructor(memory = new SharedArrayBuffer(HEADER_BYTES + SETTINGS * WORDS * 8)) {
    this.memory = memory;
    this.#header = new Int32Array(memory, 0, 2);
    this.#settings = Array.from(
      { length: SETTINGS },
      (_, index) => new BigInt64Array(memory, HEADER_BYTES + index * WORDS * 8, WORDS),
    );
  }

  /** Which setting is valid, another number after each change; 0: there is no limit. */
  get generation(): number {
    return Atomics.load(this.#header, Header.generation);
  }

  /** What is set now. */
  get value(): RateLimit {
    const { generation } = this;
    if (generation === 0) return NO_LIMIT;
    const setting = this.#setting(generation);
    const read = (word: number) => Number(Atomics.load(setting, word));
    return {
      iops: read(Word.iops),
      bytesPerSecond: read(Word.bytesPerSecond),
      burstMs: read(Word.burst) / Number(NANOS_PER_MS),
    };
  }

  /** Sets the limit, in whole milliseconds of burst, for all who share it. One thread does. */
  set({ iops, bytesPerSecond, burstMs }: RateLimit): void {
    if (iops === 0 && bytesPerSecond === 0) {
      Atomics.store(this.#header, Header.generation, 0);
      return;
    }
    // Skips 0 when it wraps around.
    const generation = (Atomics.load(this.#header, Header.latest) + 1) | 0 || 1;
    const setting = this.#setting(generation);
    Atomics.store(setting, Word.iops, BigInt(iops));
    Atomics.store(setting, Word.bytesPerSecond, BigInt(bytesPerSecond));
    Atomics.store(setting, Word.burst, BigInt(burstMs) * NANOS_PER_MS);
    Atomics.store(setting, Word.requestsPaid, 0n);
    Atomics.store(setting, Word.bytesPaid, 0n);
    Atomics.store(this.#header, Header.latest, generation);
    Atomics.store(this.#header, Header.generation, generation);
  }

  /**
   * Takes one request of `bytes` under a setting. Never refuses: who takes too much waits longer.
   *
   * @returns when the request may begin
   */
  take(generation: number, bytes: number, now: bigint): bigint {
    const setting = this.#setting(generation);
    const earliest = now - Atomics.load(setting, Word.burst);
    const requests = takeFrom(setting, Word.requestsPaid, cost(setting, Word.iops, 1), earliest);
    const data = takeFrom(setting, Word.bytesPaid, cost(setting, Word.bytesPerSecond, bytes), earliest);
    return requests > data ? requests : data;
  }

  /** Whether nothing is owed and the burst is saved: forgetting it would change nothing. */
  isFull(now: bigint): boolean {
    const { generation } = this;
    if (generation === 0) return true;
    const setting = this.#setting(generation);
    const earliest = now - Atomics.load(setting, Word.burst);
    return (
      Atomics.load(setting, Word.requestsPaid) <= earliest &&
      Atomics.load(setting, Word.bytesPaid) <= earliest
    );
  }

  #setting(generation: number): BigInt64Array {
    // SETTINGS is a power of two, so that this holds for negative numbers too.
    const setting = this.#settings[generation & (SETTINGS - 1)];
    assert(setting !== undefined, 'every generation has a place');
    return setting;
  }
}

/** What `amount` costs at a rate, in nanoseconds; nothing where there is no limit. */
function cost(setting: BigInt64Array, rate: number, amount: number): bigint {
  const perSecond = Number(Atomics.load(setting, rate));
  return perSecond === 0 ? 0n : BigInt(Math.ceil((amount * NANOS_PER_SECOND) / perSecond));
}

/** @returns when it may begin: the time until when was paid, or `earliest` if that is later */
function takeFrom(setting: BigInt64Array, paid: number, nanos: bigint, earliest: bigint): bigint {
  for (;;) {
    const before = Atomics.load(setting, paid);
    const start = before > earliest ? before : earliest;
    if (Atomics.compareExchange(setting, paid, before, start + nanos) === before) return start;
  }
}
