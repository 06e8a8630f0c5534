/** Chunks of one allocator at most: its tree of free runs and its generations are 60 MB then, and 5 bytes a chunk. */
export const CHUNKS_MAX = 2 ** 26;

/** Smallest chunk, in bytes: a page of the kernel, below which no device is written well. */
export const CHUNK_BYTES_MIN = 4096;

/** Largest chunk, in bytes: more is a device, not a part of one. */
export const CHUNK_BYTES_MAX = 2 ** 30;

/** Chunks of one page of generations, which is written as a whole: 4 KiB, as the databases' own pages are. */
export const PAGE_CHUNKS = 1024;
