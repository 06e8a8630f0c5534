import { assert } from '@holdfast/foundation';
import { CELLS, NUMBERS, SHARD_BYTES } from './shard-layout.js';

/** The memory of one shard, as its writer and its readers see it. */
export class ShardMemory {
  readonly shared: SharedArrayBuffer;
  readonly numbers: Float64Array;
  readonly cells: Int32Array;

  /** @param shared of {@link SHARD_BYTES}, zeroed when the shard is made */
  constructor(shared: SharedArrayBuffer) {
    assert(shared.byteLength === SHARD_BYTES, `a shard has ${SHARD_BYTES} bytes`);
    this.shared = shared;
    this.numbers = new Float64Array(shared, 0, NUMBERS);
    this.cells = new Int32Array(shared, NUMBERS * Float64Array.BYTES_PER_ELEMENT, CELLS);
  }
}

/*
 * Plain stores: a shard has one writer, and the totals are what matters. There is one function for each kind of array, so
 * that each compiles for its own.
 */

export function raiseCell(cells: Int32Array, at: number, by: number): void {
  cells[at] = (cells[at] ?? 0) + by;
}

export function raiseNumber(numbers: Float64Array, at: number, by: number): void {
  numbers[at] = (numbers[at] ?? 0) + by;
}
