/** Every limit and pace of `nbd copy`, with its reason. */

/** Connections to one server by default: more bring nothing to a client with one thread. */
export const CONNECTIONS_DEFAULT = 4;

/** Connections to one server at most: one client leaves room for others. */
export const CONNECTIONS_MAX = 16;

/** Requests in flight on one connection by default: as many as qemu-nbd and nbdkit work on at a time. */
export const REQUESTS_DEFAULT = 16;

/** Requests in flight on one connection at most: with all connections their buffers take 1 GiB. */
export const REQUESTS_MAX = 256;

/** Bytes of one READ or WRITE: long enough that the price of a request is small, short enough to spread the load. */
export const REQUEST_BYTES = 256 * 1024;

/** Bytes of one WRITE_ZEROES: a server that has to write them is done within seconds, and progress goes on. */
export const ZEROES_BYTES = 128 * 1024 * 1024;

/** Zeroes in a shorter run, or off this grid, are copied as data: file systems keep no smaller holes. */
export const HOLE_BYTES = 4096;

/** Bytes of a source whose extents are asked for at a time, so that copying begins before all of them are known. */
export const WINDOW_BYTES = 1024 * 1024 * 1024;

/** Between two flushes on the way, milliseconds: what has to be done again after a crash, against the price of a flush. */
export const CHECKPOINT_MS = 5_000;

/** Between two reports of progress to a program, milliseconds. */
export const REPORT_MS = 1_000;

/** Between two pictures of the progress bar, milliseconds. */
export const BAR_MS = 200;

/** Longest wait for requests in flight after a failure or a signal, milliseconds: what they did is then unknown. */
export const SETTLE_MS = 5_000;

/**
 * Longest wait for an answer to a further connection, milliseconds: servers that take one client only leave the second
 * one waiting, and the copy goes on without it.
 */
export const FURTHER_CONNECTION_MS = 5_000;
