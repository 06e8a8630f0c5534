/**
 * Entries of a map that is served: all of them are read and sent anew at each change, which takes some 100 ms then. With
 * chunks of 64 MiB they are 4 TiB.
 */
export const CHUNK_ENTRIES_MAX = 2 ** 16;

/**
 * How long a request that is under way may keep a change of its map waiting: devices answer within milliseconds, and one that
 * hangs must not hold up who asks for longer than a call takes.
 */
export const CHUNKS_REST_MS = 5_000;
