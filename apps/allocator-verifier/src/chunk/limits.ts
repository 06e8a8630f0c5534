/** Chunks of one allocator at most: its generations and the tree of its free runs take some 330 MB of memory then. */
export const CHUNKS_MAX = 2 ** 26;

/** Smallest chunk, in bytes: a page of the kernel, below which no device is written well. */
export const CHUNK_BYTES_MIN = 4096;

/** Largest chunk, in bytes: more is a device, not a part of one. */
export const CHUNK_BYTES_MAX = 2 ** 30;

/** Chunks of one page of generations, which is written as a whole: 4 KiB, as the databases' own pages are. */
export const PAGE_CHUNKS = 1024;
