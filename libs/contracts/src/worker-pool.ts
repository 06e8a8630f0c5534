/**
 * Threads of the I/O worker for calls that may wait, when the setting does not say another number: one waits for descriptors,
 * and fifteen cold reads and writes of the event loop keep a disk busy. libuv alone would make four, and four clients that
 * wait for a slow disk would then hold up all others.
 */
export const WORKER_POOL_THREADS_DEFAULT = 16;
