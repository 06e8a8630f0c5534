import { variantNames } from './variant.js';
import { violationKindNames } from './violation.js';

/**
 * Requests that one shard has in flight at the same time. A session serves one request after the other, and holds what
 * it has read until the replies are sent: that is two.
 */
export const REQUESTS_MAX = 8;

/** Buffers that one shard tells apart: its owner numbers them from 0. */
export const BUFFERS_MAX = 8;

/** Layers that one shard tells apart: its owner numbers them from 0. */
export const LAYERS_MAX = 4;

/** Sites are numbered from 0: six bits of the number of a request. */
export const SITES_MAX = 64;

/** Violations of one shard that are kept with their sites; more are only counted. */
export const VIOLATIONS_KEPT = 32;

/** Cells of 64-bit floating point: counts and bytes, exact up to 2^53. */
export const Count = { acquired: 0, released: 1, acquiredBytes: 2, releasedBytes: 3 } as const;
export const COUNTS_EACH = 4;
export const VIOLATION_COUNTS = variantNames.length * COUNTS_EACH;
/** All of those are added up over shards; what follows is of one shard alone. */
export const SUMS = VIOLATION_COUNTS + violationKindNames.length;
export const CLOCK = SUMS;

/** Of each request, after those. */
export const REQUEST_NUMBERS = CLOCK + 1;
export const RequestNumber = { bytes: 0, sinceMs: 1 } as const;
export const REQUEST_NUMBERS_EACH = 2;

/** Of each violation that is kept, after those. */
export const KEPT_NUMBERS = REQUEST_NUMBERS + REQUESTS_MAX * REQUEST_NUMBERS_EACH;
export const KeptNumber = { bytes: 0, atMs: 1 } as const;
export const KEPT_NUMBERS_EACH = 2;
export const NUMBERS = KEPT_NUMBERS + VIOLATIONS_KEPT * KEPT_NUMBERS_EACH;

/** Cells of 32-bit integers. Of each request: `request` is its number while it is in flight, else 0. */
export const RequestCell = { request: 0, tag: 1, segments: 2 } as const;
export const REQUEST_CELLS_EACH = 3;

/** Of each buffer: `held` are the references that no request has, `holdSite` is where the last of them was taken. */
export const BUFFER_CELLS = REQUESTS_MAX * REQUEST_CELLS_EACH;
export const BufferCell = { pins: 0, references: 1, held: 2, holdSite: 3 } as const;
export const BUFFER_CELLS_EACH = 4;

/** Of each violation that is kept. */
export const KEPT_CELLS = BUFFER_CELLS + BUFFERS_MAX * BUFFER_CELLS_EACH;
export const KeptCell = {
  kind: 0,
  variant: 1,
  buffer: 2,
  acquireSite: 3,
  releaseSite: 4,
  segments: 5,
} as const;
export const KEPT_CELLS_EACH = 6;
export const CELLS = KEPT_CELLS + VIOLATIONS_KEPT * KEPT_CELLS_EACH;

/** Size in bytes of the memory of one shard. */
export const SHARD_BYTES = NUMBERS * Float64Array.BYTES_PER_ELEMENT + CELLS * Int32Array.BYTES_PER_ELEMENT;

/** The number of a request: slot, acquire site, and how many requests the shard had before, so that none comes again soon. */
export const SLOT_BITS = 3;
export const SITE_BITS = 6;
export const GENERATIONS = 1 << 21;

export function slotOf(request: number): number {
  return request & (REQUESTS_MAX - 1);
}

export function acquireSiteOf(request: number): number {
  return (request >> SLOT_BITS) & (SITES_MAX - 1);
}

/** What a request was filled as, in one cell, so that one comparison is enough: variant, layer, buffer. */
const LAYER_SHIFT = 2;
const BUFFER_SHIFT = 4;
export const RELEASE_MASK = (1 << BUFFER_SHIFT) - 1;
export const VARIANT_MASK = (1 << LAYER_SHIFT) - 1;
export const FILL_MASK = ((BUFFERS_MAX - 1) << BUFFER_SHIFT) | VARIANT_MASK;

export function tagOf(variant: number, layer: number, buffer: number): number {
  return variant | (layer << LAYER_SHIFT) | (buffer << BUFFER_SHIFT);
}

export function layerOf(tag: number): number {
  return (tag >> LAYER_SHIFT) & (LAYERS_MAX - 1);
}

export function bufferOf(tag: number): number {
  return tag >> BUFFER_SHIFT;
}
