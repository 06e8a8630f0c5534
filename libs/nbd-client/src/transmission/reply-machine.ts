import { assert } from '@holdfast/foundation';
import {
  CHUNK_BYTES_MAX,
  ChunkType,
  EXTENDED_REPLY_BYTES,
  OFFSET_DATA_START_BYTES,
  parseOffsetDataStart,
  ReplyFlag,
  type ChunkHeader,
  type ReplyMode,
  type SimpleReplyHeader,
} from '@holdfast/nbd-protocol';
import { NbdProtocolError } from '../errors/protocol-error.js';
import { admitChunk, contentOf, takePayload } from './chunk-payload.js';
import { GatheredBytes } from './gathered-bytes.js';
import { cookieOf, headerLength, parseReplyHeader } from './reply-header.js';
import type { OpenMessage, ReplyState } from './reply-state.js';
import type { IncomingReply } from './replies/incoming-reply.js';

/** The requests that wait for a reply. */
export interface RequestsInFlight {
  readonly find: (cookie: number) => IncomingReply | undefined;
  /** The reply is complete and was settled: its cookie is free again. */
  readonly done: (cookie: number) => void;
}

/**
 * Reads the server's stream of replies, without a socket: bytes are pushed in as they come, in pieces of any size. Data
 * goes straight to where it belongs; what is held between two pushes is one header or one payload of bounded length (T19).
 */
export class ReplyMachine {
  readonly #mode: ReplyMode;
  readonly #requests: RequestsInFlight;
  readonly #header = new Uint8Array(EXTENDED_REPLY_BYTES);
  #headerHave = 0;
  readonly #gathered = new GatheredBytes();
  #state: ReplyState = { phase: 'header' };
  #isBroken = false;

  constructor(mode: ReplyMode, requests: RequestsInFlight) {
    this.#mode = mode;
    this.#requests = requests;
  }

  /** Bytes held until the rest of their message comes. */
  get bufferedBytes(): number {
    return this.#headerHave + this.#gathered.have;
  }

  /**
   * Takes bytes, lent for the call.
   *
   * @throws NbdProtocolError if the server breaks a rule; the stream cannot be followed any further then
   */
  push(bytes: Uint8Array): void {
    assert(!this.#isBroken, 'nothing is read from a stream after a broken rule');
    // Lifted at the end: whatever is thrown leaves the machine in the middle of a message.
    this.#isBroken = true;
    for (let at = 0; at < bytes.length;) at += this.#take(at === 0 ? bytes : bytes.subarray(at));
    this.#isBroken = false;
  }

  /** @returns how many bytes were used, at least 1 */
  #take(bytes: Uint8Array): number {
    const state = this.#state;
    switch (state.phase) {
      case 'header':
        return this.#takeHeader(bytes);
      case 'data-offset': {
        const { taken, whole } = this.#gathered.gather(bytes, OFFSET_DATA_START_BYTES);
        if (whole !== undefined) this.#beginChunkData(state.message, whole);
        return taken;
      }
      case 'data':
        return this.#takeData(state.message, state.remaining, bytes);
      case 'payload': {
        const { taken, whole } = this.#gathered.gather(bytes, state.message.length);
        if (whole !== undefined) {
          takePayload(state.message, whole);
          this.#end(state.message);
        }
        return taken;
      }
    }
  }

  #takeHeader(bytes: Uint8Array): number {
    const have = this.#headerHave;
    const needed = headerLength(this.#mode, this.#header.subarray(0, have));
    const taken = Math.min(needed - have, bytes.length);
    this.#header.set(bytes.subarray(0, taken), have);
    this.#headerHave = have + taken;
    const start = this.#header.subarray(0, this.#headerHave);
    // With structured replies, what is there now may tell that there is more to the header.
    if (this.#headerHave < needed || headerLength(this.#mode, start) > needed) return taken;
    this.#headerHave = 0;
    const { kind, header } = parseReplyHeader(this.#mode, start);
    if (kind === 'simple') this.#beginSimple(header);
    else this.#beginChunk(header);
    return taken;
  }

  #beginSimple(header: Readonly<SimpleReplyHeader>): void {
    const { cookie, reply } = this.#find(header);
    const { content } = reply;
    if (this.#mode === 'structured' && content !== undefined) throw new NbdProtocolError('simple-read-reply');
    if (reply.hasBegun) throw new NbdProtocolError('mixed-reply');
    if (header.error !== 0) reply.addFault({ error: header.error, message: '', offset: undefined });
    const { offset, length } = reply.asked;
    const hasData = content !== undefined && header.error === 0 && length > 0n;
    const type = hasData ? ChunkType.OFFSET_DATA : ChunkType.NONE;
    const message = { reply, cookie, type, length: hasData ? Number(length) : 0, isLast: true };
    if (hasData) {
      content.admitContent();
      this.#beginData(message, offset, message.length);
    } else {
      this.#end(message);
    }
  }

  #beginChunk(header: Readonly<ChunkHeader>): void {
    const { type, length } = header;
    if (length > CHUNK_BYTES_MAX) throw new NbdProtocolError('chunk-too-large', `${String(length)} bytes`);
    const { cookie, reply } = this.#find(header);
    // Both are rounded alike where a number cannot be exact.
    if (this.#mode === 'extended' && header.offset !== Number(reply.asked.offset)) {
      throw new NbdProtocolError('wrong-offset', `${String(header.offset)} for ${reply.asked.offset}`);
    }
    const message = { reply, cookie, type, length, isLast: (header.flags & ReplyFlag.DONE) !== 0 };
    admitChunk(message, this.#mode);
    reply.hasBegun = true;
    if (length === 0) this.#end(message);
    else this.#state = { phase: type === ChunkType.OFFSET_DATA ? 'data-offset' : 'payload', message };
  }

  #beginChunkData(message: OpenMessage, start: Uint8Array): void {
    const parsed = parseOffsetDataStart(start, message.length);
    assert(typeof parsed !== 'string', 'the length of a data chunk was checked with its header');
    this.#beginData(message, parsed.offset, parsed.dataLength);
  }

  #beginData(message: OpenMessage, offset: bigint, length: number): void {
    contentOf(message.reply).beginData(offset, length);
    this.#state = { phase: 'data', message, remaining: length };
  }

  #takeData(message: OpenMessage, remaining: number, bytes: Uint8Array): number {
    const taken = Math.min(remaining, bytes.length);
    contentOf(message.reply).pushData(bytes.subarray(0, taken));
    if (taken < remaining) this.#state = { phase: 'data', message, remaining: remaining - taken };
    else this.#end(message);
    return taken;
  }

  #end({ reply, cookie, isLast }: OpenMessage): void {
    this.#state = { phase: 'header' };
    if (!isLast) return;
    reply.complete();
    this.#requests.done(cookie);
  }

  #find(header: { readonly cookieHigh: number; readonly cookieLow: number }) {
    const cookie = cookieOf(header);
    const reply = this.#requests.find(cookie);
    if (reply === undefined) throw new NbdProtocolError('unknown-cookie');
    return { cookie, reply };
  }
}
