import { Buffer } from 'node:buffer';
import { assert, AssertionFailure } from '@holdfast/foundation';
import { ClientFlag, HandshakeFlag } from '../constants/handshake-flags.js';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { HANDSHAKE_BYTES_MAX, OPTION_BYTES_MAX, OPTIONS_MAX } from '../limits.js';
import { ByteQueue } from './byte-queue.js';
import { CLIENT_FLAGS_BYTES, parseClientFlags } from './client-flags.js';
import { encodeExportNameReply } from './export-name-reply.js';
import { encodeGreeting } from './greeting.js';
import type {
  ExportDescription,
  ExportListing,
  HandshakeEnd,
  HandshakeLimits,
  HandshakeRequest,
  Refusal,
  RefusalReason,
} from './handshake-request.js';
import { type HandshakePhase, type HandshakeState, type StateIn, transition } from './handshake-state.js';
import { encodeInfoReplies } from './info-replies.js';
import { admitOption } from './option-admission.js';
import { OPTION_HEADER_BYTES, parseOptionHeader } from './option-header.js';
import { questionOf } from './option-question.js';
import { encodeOptionReply } from './option-reply.js';
import { encodeRepServer } from './rep-server.js';
import { encodeText } from './string.js';

const DEFAULT_LIMITS: HandshakeLimits = {
  optionsMax: OPTIONS_MAX,
  optionBytesMax: OPTION_BYTES_MAX,
  totalBytesMax: HANDSHAKE_BYTES_MAX,
};

const OFFERED_CLIENT_FLAGS = ClientFlag.FIXED_NEWSTYLE | ClientFlag.NO_ZEROES;

const REFUSAL_REPLIES = {
  unknown: OptionReplyType.ERR_UNKNOWN,
  policy: OptionReplyType.ERR_POLICY,
  shutdown: OptionReplyType.ERR_SHUTDOWN,
  platform: OptionReplyType.ERR_PLATFORM,
} as const satisfies Record<RefusalReason, OptionReplyType>;

const NOTHING = new Uint8Array();
const NEED_INPUT: HandshakeRequest = { kind: 'need-input' };
const NOT_ASKED = 'an answer is given to what was asked';

type OpenPhase = Exclude<HandshakePhase, 'transmission' | 'closed'>;

/**
 * The server's side of the fixed newstyle handshake, without a socket: bytes are pushed in, and {@link next} says
 * what to do. The owner decides about exports, this machine about everything else.
 *
 * A handshake is bounded in options and bytes (N10); its time is the owner's to bound.
 */
export class ServerHandshake {
  readonly #limits: HandshakeLimits;
  readonly #input = new ByteQueue();
  #state: HandshakeState = { phase: 'client-flags' };
  #clientFlags = 0;
  #optionsSeen = 0;
  #bytesSeen = 0;

  constructor(limits: HandshakeLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Where the handshake stands. After an answer to `go` it is `transmission`, or `closed` if a bound was hit meanwhile. */
  get phase(): HandshakePhase {
    return this.#state.phase;
  }

  /** Bytes pushed and not used yet. */
  get bufferedBytes(): number {
    return this.#input.length;
  }

  /** The first bytes to send. */
  greeting(): Uint8Array {
    return encodeGreeting({ handshakeFlags: HandshakeFlag.FIXED_NEWSTYLE | HandshakeFlag.NO_ZEROES });
  }

  /**
   * Takes what the client sent; keeps its own copy. More than the handshake's bound closes it, whatever is under
   * way. What comes after the close is dropped; after the handshake it would be lost, so it is the owner's mistake.
   */
  push(chunk: Uint8Array): void {
    const state = this.#state;
    assert(state.phase !== 'transmission', 'a handshake that is over takes no bytes');
    if (state.phase === 'closed') return;
    this.#bytesSeen += chunk.length;
    if (this.#bytesSeen > this.#limits.totalBytesMax) {
      this.#close(state, 'total-bytes-limit');
    } else if (state.phase === 'skipping') {
      const skipped = Math.min(chunk.length, state.remainingBytes);
      this.#state = transition(state, { ...state, remainingBytes: state.remainingBytes - skipped });
      this.#input.push(chunk.subarray(skipped));
    } else {
      this.#input.push(chunk);
    }
  }

  /** What to do now. Not to be asked while a decision is due, nor once transmission began. */
  next(): HandshakeRequest {
    for (;;) {
      const request = this.#advance();
      if (request !== undefined) return request;
    }
  }

  /** Answers `list` (N4): one SERVER for each export, then ACK. What policy hides is not in the listings. */
  answerList(listings: readonly ExportListing[]): Uint8Array {
    const state = this.#deciding();
    if (state === undefined) return NOTHING;
    assert(state.question.option === Option.LIST, NOT_ASKED);
    const bytes = Buffer.concat([
      ...listings.map((listing) =>
        encodeOptionReply(Option.LIST, OptionReplyType.SERVER, encodeRepServer(listing)),
      ),
      encodeOptionReply(Option.LIST, OptionReplyType.ACK),
    ]);
    // Here and below the state moves last: an answer that cannot be encoded can still be refused.
    this.#state = transition(state, { phase: 'option-header' });
    return bytes;
  }

  /** Answers `info`: the information asked for, then ACK; the client may send more options. */
  answerInfo(description: ExportDescription): Uint8Array {
    const state = this.#deciding();
    if (state === undefined) return NOTHING;
    const { question } = state;
    assert(question.option === Option.INFO, NOT_ASKED);
    const bytes = encodeInfoReplies(question.option, question.infoTypes, description);
    this.#state = transition(state, { phase: 'option-header' });
    return bytes;
  }

  /** Answers `go`. Once the bytes are sent the transmission begins, with {@link takeRemainder}. */
  answerGo(description: ExportDescription): Uint8Array {
    const state = this.#deciding();
    if (state === undefined) return NOTHING;
    const { question } = state;
    assert(question.option === Option.GO || question.option === Option.EXPORT_NAME, NOT_ASKED);
    const bytes =
      question.option === Option.GO
        ? encodeInfoReplies(question.option, question.infoTypes, description)
        : encodeExportNameReply(description, this.#clientHas(ClientFlag.NO_ZEROES));
    this.#state = transition(state, { phase: 'transmission' });
    return bytes;
  }

  /** Answers whatever was asked with an error (N12). EXPORT_NAME knows no errors: there it closes (N3). */
  refuse(reason: RefusalReason, message: string): Refusal {
    const state = this.#deciding();
    if (state === undefined) return { bytes: NOTHING, close: true };
    const { option } = state.question;
    if (option === Option.EXPORT_NAME) {
      this.#close(state, 'export-name-refused');
      return { bytes: NOTHING, close: true };
    }
    this.#state = transition(state, { phase: 'option-header' });
    const bytes = encodeOptionReply(option, REFUSAL_REPLIES[reason], encodeText(message));
    return { bytes, close: false };
  }

  /** Bytes that came after the handshake: the first of the transmission. The caller owns them. */
  takeRemainder(): Uint8Array {
    assert(this.#state.phase === 'transmission', 'only a handshake that succeeded has a remainder');
    return new Uint8Array(this.#input.take(this.#input.length));
  }

  /** One transition, or what the owner must do before there is one. */
  #advance(): HandshakeRequest | undefined {
    const state = this.#state;
    switch (state.phase) {
      case 'client-flags':
        return this.#takeClientFlags(state);
      case 'option-header':
        return this.#takeOptionHeader(state);
      case 'option-data':
        return this.#takeOptionData(state);
      case 'skipping':
        return this.#skipOptionData(state);
      case 'closed':
        return { kind: 'close', reason: state.reason };
      case 'deciding':
      case 'transmission':
        throw new AssertionFailure(`a handshake in ${state.phase} has nothing to ask`);
    }
  }

  #takeClientFlags(state: StateIn<'client-flags'>): HandshakeRequest | undefined {
    const message = parseClientFlags(this.#input.peek());
    if (message === 'incomplete') return NEED_INPUT;
    this.#input.take(CLIENT_FLAGS_BYTES);
    this.#clientFlags = message.clientFlags;
    // N2: "the server MUST drop the TCP connection if the client sets an unknown flag".
    if ((message.clientFlags & ~OFFERED_CLIENT_FLAGS) !== 0) this.#close(state, 'bad-client-flags');
    else this.#state = transition(state, { phase: 'option-header' });
    return undefined;
  }

  #takeOptionHeader(state: StateIn<'option-header'>): HandshakeRequest | undefined {
    const header = parseOptionHeader(this.#input.peek());
    if (header === 'incomplete') return NEED_INPUT;
    this.#input.take(OPTION_HEADER_BYTES);
    this.#optionsSeen += 1;
    if (header === 'bad-magic') {
      this.#close(state, 'bad-option-magic');
    } else if (this.#optionsSeen > this.#limits.optionsMax) {
      this.#close(state, 'options-limit');
    } else {
      const fixedNewstyle = this.#clientHas(ClientFlag.FIXED_NEWSTYLE);
      this.#state = transition(state, admitOption(header, fixedNewstyle, this.#limits));
    }
    return undefined;
  }

  #takeOptionData(state: StateIn<'option-data'>): HandshakeRequest {
    if (this.#input.length < state.lengthBytes) return NEED_INPUT;
    const outcome = questionOf(state.option, this.#input.take(state.lengthBytes));
    this.#state = transition(state, outcome.state);
    return outcome.request;
  }

  #skipOptionData(state: StateIn<'skipping'>): HandshakeRequest {
    const skipped = Math.min(this.#input.length, state.remainingBytes);
    this.#input.take(skipped);
    if (skipped < state.remainingBytes) {
      this.#state = transition(state, { ...state, remainingBytes: state.remainingBytes - skipped });
      return NEED_INPUT;
    }
    const bytes = encodeOptionReply(state.option, state.answer, encodeText(state.message));
    if (state.option === Option.ABORT) {
      this.#close(state, 'abort');
      return { kind: 'close', reason: 'abort', bytes };
    }
    this.#state = transition(state, { phase: 'option-header' });
    return { kind: 'reply', bytes };
  }

  /** The state that waits for an answer; undefined if the bound of bytes was hit while it waited. */
  #deciding(): StateIn<'deciding'> | undefined {
    const state = this.#state;
    if (state.phase === 'closed' && state.reason === 'total-bytes-limit') return undefined;
    assert(state.phase === 'deciding', NOT_ASKED);
    return state;
  }

  #clientHas(flag: number): boolean {
    return (this.#clientFlags & flag) !== 0;
  }

  #close(state: StateIn<OpenPhase>, reason: HandshakeEnd): void {
    this.#state = transition(state, { phase: 'closed', reason });
    this.#input.clear();
  }
}
