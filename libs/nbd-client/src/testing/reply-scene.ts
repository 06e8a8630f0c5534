import type { ReplyMode } from '@holdfast/nbd-protocol';
import { ReplyMachine } from '../transmission/reply-machine.js';
import {
  BlockStatusReply,
  type BlockStatusFacts,
  type ContextExtents,
} from '../transmission/replies/block-status-reply.js';
import type { IncomingReply, Settle } from '../transmission/replies/incoming-reply.js';
import { newBuffer } from '../transmission/replies/read-destination.js';
import { ReadReply } from '../transmission/replies/read-reply.js';
import { StatusReply } from '../transmission/replies/status-reply.js';
import type { Framing } from './wire.js';

/** How a request ended, as text and values that compare well. */
export type Outcome = { readonly result: unknown } | { readonly error: unknown } | 'waiting';

/** A reply machine with requests in flight, whose outcomes are seen at once. */
export class ReplyScene {
  readonly machine: ReplyMachine;
  readonly mode: ReplyMode;
  readonly outcomes = new Map<number, Outcome>();
  readonly #replies = new Map<number, IncomingReply>();

  constructor(mode: ReplyMode) {
    this.mode = mode;
    this.machine = new ReplyMachine(mode, {
      find: (cookie) => this.#replies.get(cookie),
      done: (cookie) => this.#replies.delete(cookie),
    });
  }

  /** Requests whose reply is awaited. */
  get inFlight(): number {
    return this.#replies.size;
  }

  /** How a server frames the reply to a request. */
  framing(cookie: number, offset: bigint): Framing {
    return { extended: this.mode === 'extended', cookie: BigInt(cookie), offset };
  }

  read(cookie: number, offset: bigint, length: number, df = false): void {
    const asked = { command: 'READ', offset, length: BigInt(length) };
    this.#add(cookie, new ReadReply(asked, df, newBuffer(length), this.#settle(cookie)));
  }

  status(cookie: number, command: string, offset: bigint, length: bigint): void {
    this.#add(cookie, new StatusReply({ command, offset, length }, this.#settle(cookie)));
  }

  blockStatus(cookie: number, offset: bigint, length: bigint, facts: Partial<BlockStatusFacts> = {}): void {
    const all = {
      extended: this.mode === 'extended',
      contexts: [{ id: 7, name: 'base:allocation' }],
      reqOne: false,
      blockSizeMinimum: 1,
      exportSize: 1n << 40n,
      ...facts,
    };
    const settle = this.#settle<readonly ContextExtents[]>(cookie);
    this.#add(cookie, new BlockStatusReply({ command: 'BLOCK_STATUS', offset, length }, all, settle));
  }

  #add(cookie: number, reply: IncomingReply): void {
    this.#replies.set(cookie, reply);
    this.outcomes.set(cookie, 'waiting');
  }

  #settle<Result>(cookie: number): Settle<Result> {
    return {
      resolve: (result) => this.outcomes.set(cookie, { result }),
      reject: (error) => this.outcomes.set(cookie, { error }),
    };
  }
}
