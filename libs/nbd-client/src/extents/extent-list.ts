import { assert } from '@holdfast/foundation';

/** A range of an export with one status. */
export interface Extent {
  /** Bytes from the start of the export. */
  readonly offset: bigint;
  /** Bytes; at least 1. */
  readonly length: bigint;
  /** What they mean is for the metadata context to say. */
  readonly flags: bigint;
}

/**
 * Consecutive extents, as one metadata context of one reply has them. 64 bits wide whatever the wire had, and without
 * loss (B2). It owns its memory, so it may be kept (A1).
 */
export class ExtentList implements Iterable<Extent> {
  /** Where the first extent begins, bytes. */
  readonly offset: bigint;
  /** Length and flags of one extent after the other. */
  readonly #descriptors: BigUint64Array;

  /** @param descriptors given away: nobody else writes to it from now on */
  constructor(offset: bigint, descriptors: BigUint64Array) {
    assert(descriptors.length % 2 === 0, 'an extent has a length and flags');
    this.offset = offset;
    this.#descriptors = descriptors;
  }

  /** From the form of 32 bits, in an array of its own (B2). */
  static widen(offset: bigint, descriptors: Uint32Array): ExtentList {
    return new ExtentList(offset, BigUint64Array.from(descriptors, BigInt));
  }

  /** How many extents there are. */
  get count(): number {
    return this.#descriptors.length / 2;
  }

  /** How many bytes of the export they cover together. */
  get totalLength(): bigint {
    let total = 0n;
    for (let index = 0; index < this.count; index += 1) total += this.lengthOf(index);
    return total;
  }

  lengthOf(index: number): bigint {
    return this.#at(2 * index);
  }

  flagsOf(index: number): bigint {
    return this.#at(2 * index + 1);
  }

  /** Length and flags of one extent after the other, in memory of the caller's own. */
  copyDescriptors(): BigUint64Array {
    return this.#descriptors.slice();
  }

  *[Symbol.iterator](): Generator<Extent, undefined> {
    let offset = this.offset;
    for (let index = 0; index < this.count; index += 1) {
      const length = this.lengthOf(index);
      yield { offset, length, flags: this.flagsOf(index) };
      offset += length;
    }
  }

  #at(index: number): bigint {
    const value = this.#descriptors[index];
    assert(value !== undefined, 'an extent is asked for by an index below their count');
    return value;
  }
}
