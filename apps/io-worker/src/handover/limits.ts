/** How long everything may take to come to rest, in milliseconds: a client in the middle of a long WRITE, or a slow disk. */
export const REST_MS = 10_000;

/** How long a successor may take from there on; clients wait meanwhile. */
export const TAKE_MS = 10_000;

/** How long the descriptors may be on their way to a successor, once they were sent. */
export const ARRIVAL_MS = 5_000;

/** How long the last messages may take to leave a worker whose successor serves: less than who watches waits (RETRY_MS). */
export const GOODBYE_MS = 20;

/** Longest wait of a worker that is told to stop for its successor to end its call, before it ends all the same. */
export const SUCCESSOR_LEAVES_MS = 1_000;

/** How many of those that hold a handover up an error names. */
export const NAMED_MAX = 5;

/**
 * Longest wait of a call for a handover to be over, in milliseconds: less than its caller waits (DEADLINE_MS_DEFAULT of gRPC calls), lest it is
 * done after the caller was told that it was not.
 */
export const GATE_WAIT_MS = 10_000;
