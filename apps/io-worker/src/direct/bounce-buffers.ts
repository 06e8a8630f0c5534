import { NativeBuffer } from '@holdfast/linux';

/** What one call of direct I/O of a thread moves at most when its bytes are not aligned: a multiple of every alignment. */
export const THREAD_BOUNCE_BYTES = 256 * 1024;

/** The same of a session of the event loop, whose requests come in smaller pieces. */
export const LOOP_BOUNCE_BYTES = 64 * 1024;

/** Sessions of the event loop that have one at a time; others wait. It takes no more to keep a disk busy. */
export const LOOP_BOUNCES_MAX = 8;

let ofThread: NativeBuffer | undefined;

/** The aligned buffer of this thread, which does one request at a time; made at first use. */
export function threadBounce(): NativeBuffer {
  ofThread ??= NativeBuffer.allocate(THREAD_BOUNCE_BYTES);
  return ofThread;
}

const idle: NativeBuffer[] = [];
const waiting: ((buffer: NativeBuffer) => void)[] = [];
let made = 0;

/** Lends an aligned buffer to a session of the event loop until `use` has settled; made at first use, and kept. */
export async function withLoopBounce<Result>(
  use: (buffer: NativeBuffer) => Promise<Result>,
): Promise<Result> {
  const buffer = idle.pop() ?? (await another());
  try {
    return await use(buffer);
  } finally {
    const next = waiting.shift();
    if (next === undefined) idle.push(buffer);
    else next(buffer);
  }
}

function another(): NativeBuffer | Promise<NativeBuffer> {
  if (made < LOOP_BOUNCES_MAX) {
    made++;
    return NativeBuffer.allocate(LOOP_BOUNCE_BYTES);
  }
  return new Promise((resolve) => waiting.push(resolve));
}
