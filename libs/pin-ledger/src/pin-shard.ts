import { assert } from '@holdfast/foundation';
import { raiseCell, raiseNumber, ShardMemory } from './shard-memory.js';
import {
  acquireSiteOf,
  bufferOf,
  FILL_MASK,
  LAYERS_MAX,
  RELEASE_MASK,
  tagOf,
  VARIANT_MASK,
  BUFFER_CELLS,
  BUFFER_CELLS_EACH,
  BufferCell,
  BUFFERS_MAX,
  CLOCK,
  Count,
  COUNTS_EACH,
  GENERATIONS,
  REQUEST_CELLS_EACH,
  REQUEST_NUMBERS,
  REQUEST_NUMBERS_EACH,
  RequestCell,
  RequestNumber,
  REQUESTS_MAX,
  SITE_BITS,
  SITES_MAX,
  SLOT_BITS,
  slotOf,
} from './shard-layout.js';
import { Variant } from './variant.js';
import { ViolationKind } from './violation.js';
import { recordViolation } from './violation-record.js';

/** The number of a request that is in flight; it is good for one completion. */
export type PinRequest = number;

/**
 * The account of one session, kept by the one thread that serves it: which buffers its requests rely on. Others read the
 * same memory by a `ShardView`, and stop nobody.
 *
 * A request is filled by segments of one buffer and completed once. Completion releases what the segments acquired, all of
 * it. Whatever does not fit is a violation: it is recorded, and nothing is released by it.
 *
 * This is the hot path: nothing is allocated here, and the clock is the one that is told by {@link tick}.
 */
export class PinShard {
  readonly #memory: ShardMemory;
  readonly #cells: Int32Array;
  readonly #numbers: Float64Array;
  #generation = 0;
  #hasViolations = false;

  /** @param memory zeroed, of SHARD_BYTES; this is its only writer */
  constructor(memory: SharedArrayBuffer) {
    this.#memory = new ShardMemory(memory);
    this.#cells = this.#memory.cells;
    this.#numbers = this.#memory.numbers;
  }

  /** Tells the time from which the age of requests is counted; once for each batch is enough. */
  tick(nowMs: number): void {
    this.#numbers[CLOCK] = nowMs;
  }

  /** Whether this writer has recorded one. */
  get hasViolations(): boolean {
    return this.#hasViolations;
  }

  /**
   * Begins a request without segments.
   *
   * @param layer which releases it (E2)
   * @param site where it is acquired
   * @throws AssertionFailure when REQUESTS_MAX are in flight
   */
  begin(variant: Variant, layer: number, buffer: number, site: number): PinRequest {
    assert(site >= 0 && site < SITES_MAX && buffer >= 0 && buffer < BUFFERS_MAX, 'site and buffer are known');
    assert(layer >= 0 && layer < LAYERS_MAX, 'the layer is known');
    const slot = this.#freeSlot();
    this.#generation = this.#generation === GENERATIONS - 1 ? 1 : this.#generation + 1;
    const request = (((this.#generation << SITE_BITS) | site) << SLOT_BITS) | slot;
    const at = slot * REQUEST_CELLS_EACH;
    const numbersAt = REQUEST_NUMBERS + slot * REQUEST_NUMBERS_EACH;
    this.#cells[at + RequestCell.tag] = tagOf(variant, layer, buffer);
    this.#cells[at + RequestCell.segments] = 0;
    this.#numbers[numbersAt + RequestNumber.bytes] = 0;
    this.#numbers[numbersAt + RequestNumber.sinceMs] = this.#numbers[CLOCK] ?? 0;
    this.#cells[at + RequestCell.request] = request;
    return request;
  }

  /**
   * Adds a segment: before the system call that relies on it.
   *
   * @returns whether it was acquired; false if it does not fit the request
   */
  add(request: PinRequest, variant: Variant, buffer: number, bytes: number): boolean {
    const cells = this.#cells;
    const slot = slotOf(request);
    const at = slot * REQUEST_CELLS_EACH;
    const fit = (cells[at + RequestCell.tag] ?? 0) & FILL_MASK;
    if (cells[at + RequestCell.request] !== request || fit !== tagOf(variant, 0, buffer)) {
      this.#refuse(request, variant, buffer);
      return false;
    }
    raiseCell(cells, at + RequestCell.segments, 1);
    raiseNumber(this.#numbers, REQUEST_NUMBERS + slot * REQUEST_NUMBERS_EACH + RequestNumber.bytes, bytes);
    raiseNumber(this.#numbers, variant * COUNTS_EACH + Count.acquired, 1);
    raiseNumber(this.#numbers, variant * COUNTS_EACH + Count.acquiredBytes, bytes);
    const bufferAt = BUFFER_CELLS + buffer * BUFFER_CELLS_EACH;
    if (variant !== Variant.pinned) raiseCell(cells, bufferAt + BufferCell.references, 1);
    else {
      // E1: the first pin takes a reference.
      if (cells[bufferAt + BufferCell.pins] === 0) raiseCell(cells, bufferAt + BufferCell.references, 1);
      raiseCell(cells, bufferAt + BufferCell.pins, 1);
    }
    return true;
  }

  /** Begins a request of one segment. */
  acquire(variant: Variant, layer: number, buffer: number, bytes: number, site: number): PinRequest {
    const request = this.begin(variant, layer, buffer, site);
    this.add(request, variant, buffer, bytes);
    return request;
  }

  /**
   * Completes a request, however it went: releases what its segments acquired.
   *
   * @returns whether it was released; false if it is a violation
   */
  complete(request: PinRequest, variant: Variant, layer: number, site: number): boolean {
    const cells = this.#cells;
    const slot = slotOf(request);
    const at = slot * REQUEST_CELLS_EACH;
    const segments = cells[at + RequestCell.segments] ?? 0;
    const tag = cells[at + RequestCell.tag] ?? 0;
    const buffer = bufferOf(tag);
    const isThere = cells[at + RequestCell.request] === request;
    if (!isThere || (tag & RELEASE_MASK) !== tagOf(variant, layer, 0)) {
      this.#refuseRelease(request, isThere, tag, variant, site);
      return false;
    }
    const bytes = this.#numbers[REQUEST_NUMBERS + slot * REQUEST_NUMBERS_EACH + RequestNumber.bytes] ?? 0;
    const bufferAt = BUFFER_CELLS + buffer * BUFFER_CELLS_EACH;
    if (variant !== Variant.pinned) raiseCell(cells, bufferAt + BufferCell.references, -segments);
    else if (segments > 0) {
      raiseCell(cells, bufferAt + BufferCell.pins, -segments);
      // E1: the last unpin drops it.
      if (cells[bufferAt + BufferCell.pins] === 0) raiseCell(cells, bufferAt + BufferCell.references, -1);
    }
    cells[at + RequestCell.request] = 0;
    raiseNumber(this.#numbers, variant * COUNTS_EACH + Count.released, segments);
    raiseNumber(this.#numbers, variant * COUNTS_EACH + Count.releasedBytes, bytes);
    return true;
  }

  /** Takes a reference that belongs to no request, such as that of a session on the buffers it was given (E11). */
  hold(buffer: number, site: number): void {
    const at = BUFFER_CELLS + buffer * BUFFER_CELLS_EACH;
    raiseCell(this.#cells, at + BufferCell.held, 1);
    raiseCell(this.#cells, at + BufferCell.references, 1);
    this.#cells[at + BufferCell.holdSite] = site;
  }

  /** Drops one that {@link hold} took. @returns whether there was one */
  drop(buffer: number, site: number): boolean {
    const at = BUFFER_CELLS + buffer * BUFFER_CELLS_EACH;
    if (this.#cells[at + BufferCell.held] === 0) {
      const holdSite = this.#cells[at + BufferCell.holdSite] ?? 0;
      this.#violate(ViolationKind.underflow, Variant.referenced, buffer, holdSite, site);
      return false;
    }
    raiseCell(this.#cells, at + BufferCell.held, -1);
    raiseCell(this.#cells, at + BufferCell.references, -1);
    return true;
  }

  /** Whether a buffer may not be used for anything else (E12): somebody may still read or write it. */
  maybePinned(buffer: number): boolean {
    return this.#cells[BUFFER_CELLS + buffer * BUFFER_CELLS_EACH + BufferCell.pins] !== 0;
  }

  /**
   * At rest, everything must have been released (E10). What is not is recorded as leaked, and stays as it is.
   *
   * @param site where it should have been released at the latest
   */
  settle(site: number): void {
    for (let slot = 0; slot < REQUESTS_MAX; slot++) {
      const at = slot * REQUEST_CELLS_EACH;
      const request = this.#cells[at + RequestCell.request] ?? 0;
      if (request === 0) continue;
      const tag = this.#cells[at + RequestCell.tag] ?? 0;
      const segments = this.#cells[at + RequestCell.segments] ?? 0;
      const bytes = this.#numbers[REQUEST_NUMBERS + slot * REQUEST_NUMBERS_EACH + RequestNumber.bytes] ?? 0;
      const variant = (tag & VARIANT_MASK) as Variant;
      this.#violate(
        ViolationKind.leak,
        variant,
        bufferOf(tag),
        acquireSiteOf(request),
        site,
        segments,
        bytes,
      );
    }
    for (let buffer = 0; buffer < BUFFERS_MAX; buffer++) {
      const at = BUFFER_CELLS + buffer * BUFFER_CELLS_EACH;
      const held = this.#cells[at + BufferCell.held] ?? 0;
      if (held === 0) continue;
      const holdSite = this.#cells[at + BufferCell.holdSite] ?? 0;
      this.#violate(ViolationKind.leak, Variant.referenced, buffer, holdSite, site, held);
    }
  }

  /** Records that sums do not fit each other, though nothing is known to be held: somebody else wrote them. */
  reportImbalance(site: number): void {
    this.#violate(ViolationKind.leak, Variant.pinned, 0, site, site);
  }

  #freeSlot(): number {
    for (let slot = 0; slot < REQUESTS_MAX; slot++) {
      if (this.#cells[slot * REQUEST_CELLS_EACH + RequestCell.request] === 0) return slot;
    }
    throw new Error(
      `${String(REQUESTS_MAX)} requests of one session are in flight: some are never completed`,
    );
  }

  #refuseRelease(request: PinRequest, isThere: boolean, tag: number, variant: Variant, site: number): void {
    const filledAs = (tag & VARIANT_MASK) as Variant;
    const wrong = filledAs === variant ? ViolationKind['wrong-layer'] : ViolationKind['wrong-kind'];
    const kind = isThere ? wrong : ViolationKind.underflow;
    const known = isThere ? filledAs : variant;
    this.#violate(kind, known, bufferOf(tag), acquireSiteOf(request), site);
  }

  #refuse(request: PinRequest, variant: Variant, buffer: number): void {
    const isThere = this.#cells[slotOf(request) * REQUEST_CELLS_EACH + RequestCell.request] === request;
    const kind = isThere ? ViolationKind['mixed-request'] : ViolationKind.underflow;
    this.#violate(kind, variant, buffer, acquireSiteOf(request), acquireSiteOf(request));
  }

  #violate(
    kind: ViolationKind,
    variant: Variant,
    buffer: number,
    acquireSite: number,
    releaseSite: number,
    segments = 0,
    bytes = 0,
  ): void {
    this.#hasViolations = true;
    recordViolation(this.#memory, { kind, variant, buffer, acquireSite, releaseSite, segments, bytes });
  }
}
