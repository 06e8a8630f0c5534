import { addSums, emptySums, totalsOf, type LedgerTotals } from './ledger-totals.js';
import { ShardMemory } from './shard-memory.js';
import {
  acquireSiteOf,
  bufferOf,
  layerOf,
  VARIANT_MASK,
  BUFFER_CELLS,
  BUFFER_CELLS_EACH,
  BufferCell,
  BUFFERS_MAX,
  REQUEST_CELLS_EACH,
  REQUEST_NUMBERS,
  REQUEST_NUMBERS_EACH,
  RequestCell,
  RequestNumber,
  REQUESTS_MAX,
} from './shard-layout.js';
import { variantNames, type VariantName } from './variant.js';
import type { Violation } from './violation.js';
import { countViolations, readViolations } from './violation-record.js';

/** A request in flight that has segments. Sites and buffers are numbers of the owner's tables. */
export interface OutstandingPins {
  /** Names it within its shard. */
  readonly request: number;
  readonly variant: VariantName;
  readonly buffer: number;
  readonly layer: number;
  readonly acquireSite: number;
  readonly segments: number;
  readonly bytes: number;
  /** When it was begun, of the owner's clock. */
  readonly sinceMs: number;
}

/** What holds one buffer. */
export interface BufferCounts {
  readonly pins: number;
  /** Of requests, of the pins taken together, and of others. */
  readonly references: number;
}

/**
 * A shard as anybody may read it at any time, without stopping its writer. While that runs, what is read may be one request
 * apart from each other; once its thread has reported that the session is over, it is exact.
 */
export class ShardView {
  readonly #memory: ShardMemory;

  constructor(memory: SharedArrayBuffer) {
    this.#memory = new ShardMemory(memory);
  }

  totals(): LedgerTotals {
    const sums = emptySums();
    this.addTo(sums);
    return totalsOf(sums);
  }

  /** Adds its sums to those of others. */
  addTo(sums: Float64Array): void {
    addSums(sums, this.#memory.numbers);
  }

  /** Requests in flight, in the order of their slots. */
  outstanding(): OutstandingPins[] {
    const { cells, numbers } = this.#memory;
    const found: OutstandingPins[] = [];
    for (let slot = 0; slot < REQUESTS_MAX; slot++) {
      const at = slot * REQUEST_CELLS_EACH;
      const request = cells[at + RequestCell.request] ?? 0;
      const segments = cells[at + RequestCell.segments] ?? 0;
      if (request === 0 || segments === 0) continue;
      const tag = cells[at + RequestCell.tag] ?? 0;
      const numbersAt = REQUEST_NUMBERS + slot * REQUEST_NUMBERS_EACH;
      found.push({
        request,
        variant: variantNames[tag & VARIANT_MASK] ?? 'pinned',
        buffer: bufferOf(tag),
        layer: layerOf(tag),
        acquireSite: acquireSiteOf(request),
        segments,
        bytes: numbers[numbersAt + RequestNumber.bytes] ?? 0,
        sinceMs: numbers[numbersAt + RequestNumber.sinceMs] ?? 0,
      });
    }
    return found;
  }

  /** Segments in flight, of all variants: what must be zero before a device may go. */
  outstandingSegments(): number {
    const { cells } = this.#memory;
    let segments = 0;
    for (let slot = 0; slot < REQUESTS_MAX; slot++) {
      const at = slot * REQUEST_CELLS_EACH;
      if (cells[at + RequestCell.request] !== 0) segments += cells[at + RequestCell.segments] ?? 0;
    }
    return segments;
  }

  buffer(buffer: number): BufferCounts {
    const at = BUFFER_CELLS + buffer * BUFFER_CELLS_EACH;
    const { cells } = this.#memory;
    return {
      pins: cells[at + BufferCell.pins] ?? 0,
      references: cells[at + BufferCell.references] ?? 0,
    };
  }

  get violationCount(): number {
    return countViolations(this.#memory.numbers);
  }

  /** The first of them, with both sites. */
  violations(): Violation[] {
    return readViolations(this.#memory);
  }

  /** Whether everything that was acquired was released, exactly, and nothing else ever happened. */
  get isBalanced(): boolean {
    if (this.violationCount > 0 || this.outstandingSegments() > 0) return false;
    const { variants } = this.totals();
    const isEven = variantNames.every((name) => {
      const { acquired, released, acquiredBytes, releasedBytes } = variants[name];
      return acquired === released && acquiredBytes === releasedBytes;
    });
    return isEven && Array.from({ length: BUFFERS_MAX }, (_, index) => this.buffer(index)).every(isFree);
  }
}

function isFree({ pins, references }: BufferCounts): boolean {
  return pins === 0 && references === 0;
}
