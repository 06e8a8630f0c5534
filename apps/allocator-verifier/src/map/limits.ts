/** Entries of one map at most: a volume of 64 TiB in chunks of 64 MiB. */
export const MAP_ENTRIES_MAX = 2 ** 20;

/** Fields of one map at most: they are listed with it. */
export const MAP_FIELDS_MAX = 64;
