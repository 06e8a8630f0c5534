import type { ContextDefinition } from '../metadata/context-definition.js';

const HALF = 32n;

/** Takes extents that begin and end at block boundaries. */
export type AlignedSink = (length: number, flagsHigh: number, flagsLow: number) => void;

/**
 * Rounds extents to whole blocks: "The server MUST use descriptor lengths that are an integer multiple of any advertised
 * minimum block size" (section "Request types"). A block whose parts differ gets what the context says of such blocks.
 */
export class BlockAligner {
  readonly #blockSize: number;
  /** Bytes of the block that is not whole yet, and their flags. */
  #partial = 0;
  #flags = 0n;

  constructor(blockSize: number) {
    this.#blockSize = blockSize;
  }

  /** Begins at a block boundary. */
  begin(): void {
    this.#partial = 0;
  }

  /** Takes the extent behind those before, and passes on what has become whole. */
  add(
    length: number,
    flagsHigh: number,
    flagsLow: number,
    definition: ContextDefinition,
    sink: AlignedSink,
  ): void {
    let rest = length;
    if (this.#partial > 0) {
      const joining = Math.min(rest, this.#blockSize - this.#partial);
      this.#flags = definition.combine(this.#flags, joined(flagsHigh, flagsLow));
      this.#partial += joining;
      rest -= joining;
      if (this.#partial < this.#blockSize) return;
      this.#partial = 0;
      sink(this.#blockSize, Number(this.#flags >> HALF), Number(BigInt.asUintN(32, this.#flags)));
    }
    const beginning = rest % this.#blockSize;
    if (rest > beginning) sink(rest - beginning, flagsHigh, flagsLow);
    this.#partial = beginning;
    if (beginning > 0) this.#flags = joined(flagsHigh, flagsLow);
  }
}

function joined(flagsHigh: number, flagsLow: number): bigint {
  return (BigInt(flagsHigh) << HALF) | BigInt(flagsLow);
}
