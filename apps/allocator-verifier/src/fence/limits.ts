/** Entries of a map that is served at most, as the worker takes them: all are read and sent anew at each change. */
export const CHUNK_ENTRIES_MAX = 2 ** 16;
