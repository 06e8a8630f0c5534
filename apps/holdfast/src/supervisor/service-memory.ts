/*
 * What keeps the services small: at rest, with the supervisor and eight I/O threads, they took about 330 MiB (PSS) without
 * these, and take about 270 MiB with them, at the same speed.
 */

/**
 * Options of Node. The youngest objects of a thread have 1 MiB, and not up to 16: a start makes much garbage, and the memory
 * that it was in would never be given back. The data path makes next to none.
 */
export const FRUGAL_OPTIONS = ['--max-semi-space-size=1'] as const;

/**
 * Environment, unless the user's says another thing. glibc would give each thread a heap of its own (mallopt(3), M_ARENA_MAX),
 * and keep what was freed in each; no thread of ours allocates so much that it would wait for another.
 */
export const FRUGAL_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' } as const;
