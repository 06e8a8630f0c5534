import { closeSync, openSync, readSync } from 'node:fs';
import { connect } from 'node:net';
import { expect } from 'vitest';
import { askOption, greet, readOptionReplies } from '../protocol/conversation.js';
import { RawClient } from '../protocol/raw-client.js';
import { Info, Opt, Rep } from '../protocol/spec-numbers.js';
import { contextData, go, option } from '../protocol/wire.js';
import { readAnswer, type Answer } from './answer.js';
import { zeroRanges } from './comparison.js';
import { endsConnection, questionBytes, type Question, type ReplyMode } from './question.js';

/** Of an extent, at most so much is read to see whether there are zeroes. */
const LOOKED_AT_BYTES = 64 * 1024;

/** A server, its image, and a connection to it, which is made again when it was closed. */
export class Side {
  readonly name: string;
  readonly image: string;
  readonly #socketPath: string;
  readonly #mode: ReplyMode;
  readonly #fd: number;
  #client: RawClient | undefined;
  #contextId = 0;
  #cookie = 0n;

  constructor(name: string, image: string, socketPath: string, mode: ReplyMode) {
    this.name = name;
    this.image = image;
    this.#socketPath = socketPath;
    this.#mode = mode;
    this.#fd = openSync(image, 'r');
  }

  async ask(question: Question): Promise<Answer> {
    const client = (this.#client ??= await this.#enter());
    this.#cookie += 1n;
    client.send(questionBytes(question, this.#mode, this.#cookie, this.#contextId));
    const answer = await readAnswer(client, this.#mode, question, this.#cookie);
    if (answer.kind === 'reply' && !endsConnection(question)) return answer;
    await client.readToEnd();
    this.#leave();
    return answer.kind === 'reply' ? { kind: 'closed', told: answer.error } : answer;
  }

  /** Whether there are zeroes wherever an answer says so. */
  hasZeroes(question: Question, answer: Answer): boolean {
    return zeroRanges(question, answer).every(({ from, to }) => {
      const bytes = Buffer.alloc(Math.min(Number(to - from), LOOKED_AT_BYTES));
      readSync(this.#fd, bytes, 0, bytes.length, Number(from));
      return !bytes.some((byte) => byte !== 0);
    });
  }

  close(): void {
    this.#leave();
    closeSync(this.#fd);
  }

  #leave(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  async #enter(): Promise<RawClient> {
    const client = await this.#connect();
    await greet(client);
    if (this.#mode !== 'simple') {
      const wanted = this.#mode === 'extended' ? Opt.EXTENDED_HEADERS : Opt.STRUCTURED_REPLY;
      expect((await askOption(client, option(wanted))).type).toBe(Rep.ACK);
      client.send(option(Opt.SET_META_CONTEXT, contextData('', 'base:allocation')));
      const [context] = await readOptionReplies(client);
      this.#contextId = context?.data.readUInt32BE(0) ?? 0;
    }
    expect((await askOption(client, go('', Info.BLOCK_SIZE))).type).toBe(Rep.ACK);
    return client;
  }

  #connect(): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path: this.#socketPath, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket, 'unix'));
      });
    });
  }
}
