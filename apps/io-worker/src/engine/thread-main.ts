/**
 * An I/O thread: waits for a session, serves it with blocking calls, reports its end, waits for the next. While it
 * serves it reads no messages; `SessionControl` and shutdown(2) on the socket reach it.
 */
import { parentPort } from 'node:worker_threads';
import { assert } from '@holdfast/foundation';
import { threadSites } from '../pins/pin-sites.js';
import { SessionPins } from '../pins/session-pins.js';
import { BufferPool } from './buffer-pool.js';
import type { EndReason } from './engine.js';
import { FIRST_DATA_START, serveBlocking } from './serve-blocking.js';
import { SessionControl } from './session-control.js';
import type { ThreadReport, ThreadTask } from './thread-messages.js';

/** Holds a burst of requests, or a slice of a payload with its header; larger did not pay (L2 cache). */
const INPUT_BYTES = 512 * 1024 + 4096;
/** Holds the replies up to the send threshold and one read more; a read of 1 MiB, the largest usual, in one piece. */
const OUTPUT_BYTES = FIRST_DATA_START + 1024 * 1024;

const port = parentPort;
assert(port !== null, 'runs as a worker thread');

const pool = new BufferPool({ inputBytes: INPUT_BYTES, outputBytes: OUTPUT_BYTES, idleMax: 1 });
// Made ahead, as the thread is.
pool.giveBack(pool.take(), true);
const report = (message: ThreadReport) => {
  port.postMessage(message);
};

port.on('message', (task: ThreadTask) => {
  report({ kind: 'ended', reason: serve(task) });
});
report({ kind: 'ready' });

function serve({ pins: memory, control, ...task }: ThreadTask): EndReason {
  const buffers = pool.take();
  const pins = new SessionPins(memory, threadSites);
  try {
    return serveBlocking({ ...task, ...buffers, pins, control: new SessionControl(control) });
  } finally {
    pool.giveBack(buffers, pins.end());
  }
}
