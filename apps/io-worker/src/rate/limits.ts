/**
 * Longest wait of a session before it looks again whether it may go on. A limit that was changed holds for sessions that
 * wait once they look: well within a second.
 */
export const WAIT_MS_MAX = 250;

/** Requests a second that a limit can say: more than a worker serves. */
export const IOPS_MAX = 10_000_000;

/** Bytes a second that a limit can say: a TiB, more than memory moves. */
export const BYTES_PER_SECOND_MAX = 2 ** 40;

/** Longest burst, in milliseconds: an hour. */
export const BURST_MS_MAX = 3_600_000;

/** Name of an account in bytes: the longest name of an export, and when it was made. */
export const ACCOUNT_BYTES_MAX = 300;
