import { assert } from '@holdfast/foundation';

/** How much of a device shares a lock: larger than a block of any device, and than most requests. */
const REGION_BYTES = 64 * 1024;

/** Regions further apart than this share a lock too; that costs a wait now and then, and is right all the same. A power of two. */
const LOCKS = 64;

/** Set in a word by whoever has it alone, or waits for those before to leave; beside it they are counted. */
const CLAIMED = 1 << 30;

/** In bytes, of one device. */
export const BLOCK_LOCK_BYTES = LOCKS * Int32Array.BYTES_PER_ELEMENT;

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
 * The words are shared by all threads. They are taken in ascending order, so that nobody waits in a circle, and one that is
 * claimed lets in nobody else, so that whoever wants it alone gets it.
 */
export class BlockLock {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
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
      const before = Atomics.sub(this.#words, index, range.alone ? CLAIMED : 1);
      assert(range.alone ? before === CLAIMED : (before & ~CLAIMED) > 0, 'what is released was taken');
      // The last of those who shared lets in the one who waits; who was alone, all others.
      if (range.alone || before - 1 === CLAIMED) Atomics.notify(this.#words, index);
    }
  }

  *#taking(range: LockedRange): Generator<Waiting, void> {
    for (let index = 0; index < LOCKS; index++) {
      if (!covers(range, index)) continue;
      const change = range.alone ? CLAIMED : 1;
      for (;;) {
        const seen = Atomics.load(this.#words, index);
        if ((seen & CLAIMED) !== 0) yield { index, seen };
        else if (Atomics.compareExchange(this.#words, index, seen, seen + change) === seen) break;
      }
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
