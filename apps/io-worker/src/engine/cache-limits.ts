/**
 * Most that one CACHE brings into memory: enough to be ahead of a client that reads what it asked for, and no way to push
 * everything else out of the page cache by one request.
 */
export const CACHE_BYTES_MAX = 64 * 1024 * 1024;

/** A CACHE is advised in pieces of this: of longer ones the kernel reads the beginning only (force_page_cache_ra). */
export const CACHE_PIECE_BYTES = 128 * 1024;
