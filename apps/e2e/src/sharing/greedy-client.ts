import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { atEnd } from '../support/cleanup.js';
import type { Holdfast } from '../support/holdfast.js';
import { clientFlags, go } from '../protocol/wire.js';

/**
 * What the greedy client runs, on a thread of its own so that it does not hold up the one that is measured: it keeps `depth`
 * requests in flight, and sends the next when as many bytes of answers have come as one of them has.
 */
const PROGRAM = `
const { connect } = require('node:net');
const { parentPort, workerData: { path, handshake, replyBytes, request, depth } } = require('node:worker_threads');
const socket = connect(path);
let entering = replyBytes.handshake;
let pending = 0;
let answers = 0;
socket.write(handshake);
socket.on('error', () => undefined);
socket.on('data', ({ length }) => {
  if (entering > 0) {
    entering -= length;
    if (entering > 0) return;
    for (let i = 0; i < depth; i++) socket.write(request);
    parentPort.postMessage('busy');
    return;
  }
  pending += length;
  const done = Math.floor(pending / replyBytes.each);
  pending -= done * replyBytes.each;
  answers += done;
  if (done > 0) socket.write(Buffer.concat(Array.from({ length: done }, () => request)));
});
parentPort.on('message', () => parentPort.postMessage(answers));
`;

/** Greeting, and the answers to a GO: the export and an ACK. */
const HANDSHAKE_BYTES = 18 + 20 + 12 + 20;

export interface Greed {
  /** One request as it goes over the wire. */
  readonly request: Buffer;
  /** Bytes of the answer to it. */
  readonly answerBytes: number;
  /** How many are in flight. */
  readonly depth: number;
}

/** A client that takes all that it can get. */
export class GreedyClient {
  private constructor(private readonly worker: Worker) {}

  /** Connects to the only export; is busy when it returns. */
  static async start({ layout }: Holdfast, { request, answerBytes, depth }: Greed): Promise<GreedyClient> {
    const worker = new Worker(PROGRAM, {
      eval: true,
      workerData: {
        path: layout.nbdSocket,
        handshake: Buffer.concat([clientFlags(3), go('')]),
        replyBytes: { handshake: HANDSHAKE_BYTES, each: answerBytes },
        request,
        depth,
      },
    });
    const greedy = new GreedyClient(worker);
    atEnd(() => greedy.stop());
    await once(worker, 'message');
    return greedy;
  }

  /** Requests that it was answered so far. */
  async answers(): Promise<number> {
    this.worker.postMessage('how many');
    const [count] = (await once(this.worker, 'message')) as [number];
    return count;
  }

  async stop(): Promise<void> {
    await this.worker.terminate();
  }
}
