import { assert } from '@holdfast/foundation';

/** How much of a device shares a lock: larger than a block of any device, and than most requests. */
const REGION_BYTES = 64 * 1024;

/** Regions further apart than this share a lock too; that costs a wait now and then, and is right all the same. A power of two. */
const LOCKS = 64;

/** Set in a word by whoever has it alone, or waits for those before to leave; beside it they are counted. */
const CLAIMED = 1 << 30;

/** In bytes, of one device. */
export const BLOCK_LOCK_BYTES = LOCKS * Int32Array.BYTES_PER_ELEMENT;

/** What a thread tells of the locks that it has: a bit for each, and whether alone. */
const HELD_ALONE = LOCKS / 32;

/** In bytes, of one thread. */
export const HELD_LOCKS_BYTES = (HELD_ALONE + 1) * Int32Array.BYTES_PER_ELEMENT;

/** Bytes of a device that are locked, or to be. */
export interface LockedRange {
  readonly first: number;
  readonly count: number;
  /** Nobody else changes anything in it meanwhile; else others may, who write whole blocks as well. */
  readonly alone: boolean;
}

/** A word that must change before its lock can be taken, and what it is now. */
interface Waiting {
  readonly index: number;
  readonly seen: number;
}

/**
 * Who changes a part of a block reads it, changes it and writes it back. What somebody else writes to that block in between
 * would be lost. So whoever does that has its regions alone, and whoever writes whole blocks shares them with all who do so.
 * Who reads takes no lock.
 *
 * A thread that is ended from outside runs no code any more that would release. So it notes what it has where the others see
 * it: after it has taken it and before it releases it, so that at the worst a lock stays taken.
 *
 * The words are shared by all threads. They are taken in ascending order, so that nobody waits in a circle, and one that is
 * claimed lets in nobody else, so that whoever wants it alone gets it.
 */
export class BlockLock {
  readonly #words: Int32Array;
  readonly #held: Int32Array | undefined;

  /** @param held where this thread notes what it has, if it has one range at a time */
  constructor(memory: SharedArrayBuffer, held?: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#held = held && new Int32Array(held);
  }

  /** Takes a range of the device, in bytes; this thread sleeps until it has it. */
  take(offset: number, length: number, alone: boolean): LockedRange {
    const range = rangeOf(offset, length, alone);
    for (const { index, seen } of this.#taking(range)) Atomics.wait(this.#words, index, seen);
    return range;
  }

  /** As {@link take}, and the event loop goes on meanwhile. */
  async takeOnLoop(offset: number, length: number, alone: boolean): Promise<LockedRange> {
    const range = rangeOf(offset, length, alone);
    for (const { index, seen } of this.#taking(range)) {
      await Atomics.waitAsync(this.#words, index, seen).value;
    }
    return range;
  }

  release(range: LockedRange): void {
    for (let index = 0; index < LOCKS; index++) {
      if (!covers(range, index)) continue;
      if (this.#held !== undefined) note(this.#held, index, false);
      this.#releaseOne(index, range.alone);
    }
  }

  /** Releases what a thread has noted that is no more. */
  releaseOf(thread: SharedArrayBuffer): void {
    const held = new Int32Array(thread);
    const alone = held[HELD_ALONE] === 1;
    for (let index = 0; index < LOCKS; index++) {
      if (!isNoted(held, index)) continue;
      note(held, index, false);
      this.#releaseOne(index, alone);
    }
  }

  #releaseOne(index: number, alone: boolean): void {
    const before = Atomics.sub(this.#words, index, alone ? CLAIMED : 1);
    assert(alone ? (before & CLAIMED) !== 0 : (before & ~CLAIMED) > 0, 'what is released was taken');
    // The last of those who shared lets in the one who waits; who was alone, all others.
    if (alone || before - 1 === CLAIMED) Atomics.notify(this.#words, index);
  }

  *#taking(range: LockedRange): Generator<Waiting, void> {
    if (this.#held !== undefined) this.#held[HELD_ALONE] = range.alone ? 1 : 0;
    for (let index = 0; index < LOCKS; index++) {
      if (!covers(range, index)) continue;
      const change = range.alone ? CLAIMED : 1;
      for (;;) {
        const seen = Atomics.load(this.#words, index);
        if ((seen & CLAIMED) !== 0) yield { index, seen };
        else if (Atomics.compareExchange(this.#words, index, seen, seen + change) === seen) break;
      }
      if (this.#held !== undefined) note(this.#held, index, true);
      if (!range.alone) continue;
      for (let seen; (seen = Atomics.load(this.#words, index)) !== CLAIMED;) yield { index, seen };
    }
  }
}

function rangeOf(offset: number, length: number, alone: boolean): LockedRange {
  const first = Math.floor(offset / REGION_BYTES);
  const last = Math.floor((offset + length - 1) / REGION_BYTES);
  return { first: first % LOCKS, count: Math.min(last - first + 1, LOCKS), alone };
}

function covers({ first, count }: LockedRange, index: number): boolean {
  return ((index - first) & (LOCKS - 1)) < count;
}

function note(held: Int32Array, index: number, isHeld: boolean): void {
  const bit = 1 << (index & 31);
  if (isHeld) Atomics.or(held, index >> 5, bit);
  else Atomics.and(held, index >> 5, ~bit);
}

function isNoted(held: Int32Array, index: number): boolean {
  return (Atomics.load(held, index >> 5) & (1 << (index & 31))) !== 0;
}
