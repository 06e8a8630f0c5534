/**
 * How the segments of a request are released when it completes. It is chosen when the request is filled, and holds for
 * all of its segments (E4, E5).
 */
export const Variant = {
  /** A buffer of a pool that a system call reads or writes: it is unpinned. */
  pinned: 0,
  /** Memory that is shared and never handed over, such as the page cache or a buffer of zeroes: a reference is dropped. */
  referenced: 1,
  /** Memory whose ownership came with the request: it may be freed (E8). */
  transferred: 2,
} as const;
export type Variant = (typeof Variant)[keyof typeof Variant];

export type VariantName = keyof typeof Variant;

/** In the order of their numbers. */
export const variantNames = ['pinned', 'referenced', 'transferred'] as const satisfies VariantName[];
