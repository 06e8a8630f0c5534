/**
 * The data of the first reply lies here in the output of a thread, on a page boundary: the kernel copies a large READ into the
 * buffer and out of it a fifth faster than when it lies 16 bytes beside.
 */
export const FIRST_DATA_START = 4096;

/** Input of an I/O thread: a burst of requests, or a slice of a payload with its header; larger did not pay (L2 cache). */
export const THREAD_INPUT_BYTES = 512 * 1024 + 4096;

/** Output of an I/O thread: the replies up to the send threshold and one read more; a READ of 1 MiB in one piece. */
export const THREAD_OUTPUT_BYTES = FIRST_DATA_START + 1024 * 1024;

/** What a session of the event loop is served with. */
export interface LoopBuffers {
  /** In bytes. */
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** Smaller than a thread's, since there may be hundreds; memory that is not touched costs nothing. */
export const LOOP_BUFFERS: LoopBuffers = { inputBytes: 256 * 1024, outputBytes: 128 * 1024 };

/** When there are so many sessions that these would be too much together: what is larger is served in pieces. */
export const SMALL_LOOP_BUFFERS: LoopBuffers = { inputBytes: 64 * 1024, outputBytes: 64 * 1024 };
