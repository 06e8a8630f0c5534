/**
 * An I/O thread: waits for a session, serves it with blocking calls, reports its end, waits for the next. While it
 * serves it reads no messages; `SessionControl`, its bell and shutdown(2) on the socket reach it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@holdfast/foundation';
import { threadSites } from '../pins/pin-sites.js';
import { SessionPins } from '../pins/session-pins.js';
import { SharedLimit } from '../rate/shared-limit.js';
import { AwakeThreads } from './awake-threads.js';
import { BufferPool } from './buffer-pool.js';
import { THREAD_INPUT_BYTES, THREAD_OUTPUT_BYTES } from './buffer-sizes.js';
import type { ServeOutcome } from './engine.js';
import { serveBlocking } from './serve-blocking.js';
import { SessionControl } from './session-control.js';
import type { ThreadMemory, ThreadReport, ThreadTask } from './thread-messages.js';

const port = parentPort;
assert(port !== null, 'runs as a worker thread');

const { awake, heldLocks } = workerData as ThreadMemory;
const threads = new AwakeThreads(awake);

const pool = new BufferPool({ inputBytes: THREAD_INPUT_BYTES, outputBytes: THREAD_OUTPUT_BYTES, idleMax: 1 });
// Made ahead, as the thread is.
pool.giveBack(pool.take(), true);
const report = (message: ThreadReport) => {
  port.postMessage(message);
};

port.on('message', (task: ThreadTask) => {
  const control = new SessionControl(task.control);
  const outcome = serve(task, control);
  report(
    outcome === 'paused'
      ? { kind: 'paused', undecoded: control.undecoded }
      : { kind: 'ended', reason: outcome },
  );
});
report({ kind: 'ready' });

function serve({ pins: memory, limit, ...task }: ThreadTask, control: SessionControl): ServeOutcome {
  const buffers = pool.take();
  const pins = new SessionPins(memory, threadSites);
  threads.wake();
  try {
    return serveBlocking({
      ...task,
      ...buffers,
      pins,
      control,
      threads,
      heldLocks,
      limit: limit && new SharedLimit(limit),
    });
  } finally {
    threads.sleep();
    pool.giveBack(buffers, pins.end());
  }
}
