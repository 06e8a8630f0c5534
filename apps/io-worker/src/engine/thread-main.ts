/**
 * An I/O thread: waits for a session, serves it with blocking calls, reports its end, waits for the next. While it
 * serves it reads no messages; `SessionControl`, its bell and shutdown(2) on the socket reach it.
 */
import { parentPort } from 'node:worker_threads';
import { assert } from '@holdfast/foundation';
import { NativeBuffer } from '@holdfast/linux';
import { FIRST_DATA_START, serveBlocking } from './serve-blocking.js';
import { SessionControl } from './session-control.js';
import type { ThreadReport, ThreadTask } from './thread-messages.js';

/** Holds a burst of requests, or a slice of a payload with its header; larger did not pay (L2 cache). */
const INPUT_BYTES = 512 * 1024 + 4096;
/** Holds the replies up to the send threshold and one read more; a read of 1 MiB, the largest usual, in one piece. */
const OUTPUT_BYTES = FIRST_DATA_START + 1024 * 1024;

const port = parentPort;
assert(port !== null, 'runs as a worker thread');

const input = NativeBuffer.allocate(INPUT_BYTES);
const output = NativeBuffer.allocate(OUTPUT_BYTES);
const report = (message: ThreadReport) => {
  port.postMessage(message);
};

port.on('message', (task: ThreadTask) => {
  const control = new SessionControl(task.control);
  const reason = serveBlocking({
    socket: task.socket,
    device: task.device,
    facts: task.facts,
    preload: task.preload,
    control,
    bell: task.bell,
    input,
    output,
  });
  report(reason === 'paused' ? { kind: 'paused', undecoded: control.undecoded } : { kind: 'ended', reason });
});
report({ kind: 'ready' });
