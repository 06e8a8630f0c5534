/** First pause before a server that went away is tried again: one that is restarted by its supervisor is back so soon. */
export const BACKOFF_FIRST_MS = 50;

/**
 * Longest such pause: nobody waits much longer than this after a server has come back, and a few connection attempts in a
 * minute from each session are nothing to a machine that is starting.
 */
export const BACKOFF_MAX_MS = 2_000;

/**
 * Longest TRIM, WRITE_ZEROES, CACHE and BLOCK_STATUS where lengths have 32 bits: a multiple of the largest block size that a
 * server may insist on.
 */
export const RANGE_BYTES_MAX_32 = 0xffff_0000;

/**
 * What a question for extents is about at least: a READ in chunks asks where the data ends that it has come to, and the
 * answer serves all READs up to there.
 */
export const EXTENTS_AHEAD_BYTES = 64 * 1024 * 1024;

/** Sessions of one device that connect to its server at the same time: a handshake takes milliseconds, so many come and go. */
export const CONNECTING_MAX = 32;

/** Longest wait for one of them to be done: far shorter than an attempt to connect may take, so that waiting ends first. */
export const CONNECTING_WAIT_MS = 1_000;
