/**
 * An I/O thread: waits for a session, serves it with blocking calls, reports its end, waits for the next. While it
 * serves it reads no messages; `SessionControl` and shutdown(2) on the socket reach it.
 */
import { parentPort } from 'node:worker_threads';
import { assert } from '@holdfast/foundation';
import { NativeBuffer } from '@holdfast/linux';
import { SharedLimit } from '../rate/shared-limit.js';
import { THREAD_INPUT_BYTES, THREAD_OUTPUT_BYTES } from './buffer-sizes.js';
import { serveBlocking } from './serve-blocking.js';
import { SessionControl } from './session-control.js';
import type { ThreadReport, ThreadTask } from './thread-messages.js';

const port = parentPort;
assert(port !== null, 'runs as a worker thread');

const input = NativeBuffer.allocate(THREAD_INPUT_BYTES);
const output = NativeBuffer.allocate(THREAD_OUTPUT_BYTES);
const report = (message: ThreadReport) => {
  port.postMessage(message);
};

port.on('message', (task: ThreadTask) => {
  const reason = serveBlocking({
    socket: task.socket,
    device: task.device,
    facts: task.facts,
    preload: task.preload,
    control: new SessionControl(task.control),
    limit: task.limit && new SharedLimit(task.limit),
    input,
    output,
  });
  report({ kind: 'ended', reason });
});
report({ kind: 'ready' });
