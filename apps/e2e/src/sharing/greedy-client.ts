import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { atEnd } from '../support/cleanup.js';
import type { Holdfast } from '../support/holdfast.js';
import { Opt } from '../protocol/spec-numbers.js';
import { clientFlags, contextData, go, option } from '../protocol/wire.js';

/**
 * What the greedy client runs, on a thread of its own so that it does not hold up the one that is measured: it keeps `depth`
 * requests in flight, and sends the next when as many bytes of answers have come as one of them has, or the last chunk of
 * an answer that may be of any length.
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
const doneAfter = (length) => {
  pending += length;
  const done = Math.floor(pending / replyBytes.each);
  pending -= done * replyBytes.each;
  return done;
};
let rest = Buffer.alloc(0);
const doneIn = (data) => {
  rest = Buffer.concat([rest, data]);
  let done = 0;
  // A chunk: magic, flags (1 is DONE), type, cookie, length; 20 bytes.
  while (rest.length >= 20 && rest.length >= 20 + rest.readUInt32BE(16)) {
    done += rest.readUInt16BE(4) & 1;
    rest = rest.subarray(20 + rest.readUInt32BE(16));
  }
  return done;
};
socket.on('data', (data) => {
  if (entering > 0) {
    entering -= data.length;
    if (entering > 0) return;
    for (let i = 0; i < depth; i++) socket.write(request);
    parentPort.postMessage('busy');
    return;
  }
  const done = replyBytes.each === 0 ? doneIn(data) : doneAfter(data.length);
  answers += done;
  if (done > 0) socket.write(Buffer.concat(Array.from({ length: done }, () => request)));
});
parentPort.on('message', () => parentPort.postMessage(answers));
`;

/** What a client sends to enter transmission, and how long the answers to it are with the greeting. */
interface Entrance {
  readonly sent: Buffer;
  readonly answerBytes: number;
}

const REPLY_BYTES = 20;
/** The greeting; of a GO the export and an ACK. */
const plain: Entrance = {
  sent: Buffer.concat([clientFlags(3), go('')]),
  answerBytes: 18 + REPLY_BYTES + 12 + REPLY_BYTES,
};

const CONTEXT = 'base:allocation';
/** The same, and before it an ACK of structured replies; of the metadata context its id and name, and an ACK. */
const withContext: Entrance = {
  sent: Buffer.concat([
    clientFlags(3),
    option(Opt.STRUCTURED_REPLY),
    option(Opt.SET_META_CONTEXT, contextData('', CONTEXT)),
    go(''),
  ]),
  answerBytes: plain.answerBytes + REPLY_BYTES + REPLY_BYTES + 4 + CONTEXT.length + REPLY_BYTES,
};

export interface Greed {
  /** One request as it goes over the wire. */
  readonly request: Buffer;
  /** Bytes of the answer to it; `chunks`: any number, by structured replies. */
  readonly answerBytes: number | 'chunks';
  /** How many are in flight. */
  readonly depth: number;
}

/** A client that takes all that it can get. */
export class GreedyClient {
  private constructor(private readonly worker: Worker) {}

  /** Connects to the only export; is busy when it returns. */
  static async start({ layout }: Holdfast, { request, answerBytes, depth }: Greed): Promise<GreedyClient> {
    const entrance = answerBytes === 'chunks' ? withContext : plain;
    const each = answerBytes === 'chunks' ? 0 : answerBytes;
    const worker = new Worker(PROGRAM, {
      eval: true,
      workerData: {
        path: layout.nbdSocket,
        handshake: entrance.sent,
        replyBytes: { handshake: entrance.answerBytes, each },
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
