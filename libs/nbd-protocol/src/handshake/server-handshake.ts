import { assert } from '@holdfast/foundation';
import { HandshakeFlag } from '../constants/handshake-flags.js';
import { Option } from '../constants/options.js';
import { HANDSHAKE_BYTES_MAX, META_CONTEXTS_MAX, OPTION_BYTES_MAX, OPTIONS_MAX } from '../limits.js';
import {
  encodeBlockSizeRequired,
  encodeContexts,
  encodeDescription,
  encodeListing,
  encodeTooManyContexts,
  type QuestionAbout,
} from './answers.js';
import type { BlockSize } from './block-size.js';
import { encodeGreeting } from './greeting.js';
import { agreeing, initialFacts, secured, type TlsMode } from './handshake-facts.js';
import { HandshakeReader } from './handshake-reader.js';
import type {
  ExportDescription,
  ExportListing,
  HandshakeLimits,
  HandshakeRequest,
  Refusal,
} from './handshake-request.js';
import { type HandshakePhase, type Question, type StateIn, transition } from './handshake-state.js';
import { listContexts, type MetaContextOffer, selectContexts } from './meta-context-match.js';
import { encodeRefusal, type RefusalReason } from './refusal.js';

const DEFAULT_LIMITS: HandshakeLimits = {
  optionsMax: OPTIONS_MAX,
  optionBytesMax: OPTION_BYTES_MAX,
  totalBytesMax: HANDSHAKE_BYTES_MAX,
};

const NOTHING = new Uint8Array();
const NOT_ASKED = 'an answer is given to what was asked';

/** How a server handshakes. */
export interface HandshakeOptions {
  /** `off` unless given: without a certificate there is no TLS. */
  readonly tlsMode?: TlsMode;
  readonly limits?: HandshakeLimits;
}

/**
 * The server's side of the fixed newstyle handshake, without a socket: bytes are pushed in, and {@link next} says
 * what to do. The owner decides about exports and runs TLS, this machine does everything else.
 *
 * A handshake is bounded in options and bytes (N10); its time is the owner's to bound.
 */
export class ServerHandshake {
  readonly #reader: HandshakeReader;

  constructor({ tlsMode = 'off', limits = DEFAULT_LIMITS }: HandshakeOptions = {}) {
    this.#reader = new HandshakeReader(initialFacts(tlsMode), limits);
  }

  /** Where the handshake stands. After an answer to `go` it is `transmission`, or `closed` if a bound was hit meanwhile. */
  get phase(): HandshakePhase {
    return this.#reader.state.phase;
  }

  /** Bytes pushed and not used yet. */
  get bufferedBytes(): number {
    return this.#reader.bufferedBytes;
  }

  /** The first bytes to send. */
  greeting(): Uint8Array {
    return encodeGreeting({ handshakeFlags: HandshakeFlag.FIXED_NEWSTYLE | HandshakeFlag.NO_ZEROES });
  }

  /**
   * Takes what the client sent; keeps its own copy. More than the handshake's bound closes it, whatever is under
   * way. What comes after the close is dropped, and so is what comes between STARTTLS and TLS (N7); after the
   * handshake it would be lost, so it is the owner's mistake.
   */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** What to do now. Not to be asked while an answer is due, nor once transmission began. */
  next(): HandshakeRequest {
    return this.#reader.next();
  }

  /** From now on every option but ABORT is answered ERR_SHUTDOWN (N12). An answer that is due is the owner's to refuse. */
  stop(): void {
    this.#reader.goOn(this.#reader.state, { ...this.#reader.facts, stopping: true });
  }

  /** Answers `list` (N4). What policy hides is not in the listings. */
  answerList(listings: readonly ExportListing[]): Uint8Array {
    return this.#answer([Option.LIST], () => encodeListing(listings));
  }

  /** Answers `info`: the information asked for, then ACK; the client may send more options. */
  answerInfo(description: ExportDescription): Uint8Array {
    return this.#answer([Option.INFO], (question) =>
      encodeDescription(question, description, this.#reader.facts),
    );
  }

  /** Answers `go`. Once the bytes are sent the transmission begins, with {@link takeRemainder}. */
  answerGo(description: ExportDescription): Uint8Array {
    const state = this.#deciding();
    if (state === undefined) return NOTHING;
    const { question } = state;
    assert(isAbout(question, [Option.GO, Option.EXPORT_NAME]), NOT_ASKED);
    const bytes = encodeDescription(question, description, this.#reader.facts);
    this.#reader.goOn(transition(state, { phase: 'transmission' }));
    return bytes;
  }

  /** Answers `meta-contexts` with those that match; what SET_META_CONTEXT matches is selected (N9). */
  answerMetaContexts(offers: readonly MetaContextOffer[]): Uint8Array {
    return this.#answer([Option.LIST_META_CONTEXT, Option.SET_META_CONTEXT], (question) => {
      const { option, exportName, queries } = question;
      const { facts, state } = this.#reader;
      const { replyMode } = facts.agreements;
      if (option === Option.LIST_META_CONTEXT) {
        return encodeContexts(option, listContexts(offers, queries, replyMode));
      }
      const contexts = selectContexts(offers, queries, replyMode);
      if (contexts.length > META_CONTEXTS_MAX) return encodeTooManyContexts(option);
      const bytes = encodeContexts(option, contexts);
      this.#reader.goOn(state, agreeing(facts, { selection: { exportName, contexts } }));
      return bytes;
    });
  }

  /** Answers whatever was asked with an error (N12). EXPORT_NAME knows no errors: there it closes (N3). */
  refuse(reason: RefusalReason, message: string): Refusal {
    return this.#refuse(({ option }) => encodeRefusal(option, reason, message, this.#reader.facts));
  }

  /** Refuses an export whose block sizes the client did not ask for: it is told them, and may ask again. */
  refuseWithoutBlockSize(blockSize: BlockSize): Refusal {
    return this.#refuse((question) => {
      assert(isAbout(question, [Option.INFO, Option.GO]), NOT_ASKED);
      return encodeBlockSizeRequired(question.option, blockSize);
    });
  }

  /** Answers `start-tls`: what is pushed from now on came through TLS. What was agreed on before is void (N7). */
  secured(): void {
    const { state, facts } = this.#reader;
    assert(state.phase === 'securing', NOT_ASKED);
    this.#reader.goOn(transition(state, { phase: 'option-header' }), secured(facts));
  }

  /** Answers `start-tls`: the TLS handshake failed. It is "too late to continue without TLS": the handshake is closed. */
  notSecured(): void {
    const { state } = this.#reader;
    assert(state.phase === 'securing', NOT_ASKED);
    this.#reader.goOn(transition(state, { phase: 'closed', reason: 'tls-failed' }));
  }

  /** Bytes that came after the handshake: the first of the transmission. The caller owns them. */
  takeRemainder(): Uint8Array {
    assert(this.phase === 'transmission', 'only a handshake that succeeded has a remainder');
    return this.#reader.takeRest();
  }

  /** An answer after which the client may go on. The state moves last: what cannot be encoded can still be refused. */
  #answer<Code extends Question['option']>(
    options: readonly Code[],
    encode: (question: QuestionAbout<Code>) => Uint8Array,
  ): Uint8Array {
    const state = this.#deciding();
    if (state === undefined) return NOTHING;
    const { question } = state;
    assert(isAbout(question, options), NOT_ASKED);
    const bytes = encode(question);
    this.#reader.goOn(transition(state, { phase: 'option-header' }));
    return bytes;
  }

  #refuse(
    encode: (question: Exclude<Question, { option: typeof Option.EXPORT_NAME }>) => Uint8Array,
  ): Refusal {
    const state = this.#deciding();
    if (state === undefined) return { bytes: NOTHING, close: true };
    const { question } = state;
    if (question.option === Option.EXPORT_NAME) {
      this.#reader.goOn(transition(state, { phase: 'closed', reason: 'export-name-refused' }));
      return { bytes: NOTHING, close: true };
    }
    const bytes = encode(question);
    this.#reader.goOn(transition(state, { phase: 'option-header' }));
    return { bytes, close: false };
  }

  /** The state that waits for an answer; undefined if the bound of bytes was hit while it waited. */
  #deciding(): StateIn<'deciding'> | undefined {
    const { state } = this.#reader;
    if (state.phase === 'closed' && state.reason === 'total-bytes-limit') return undefined;
    assert(state.phase === 'deciding', NOT_ASKED);
    return state;
  }
}

function isAbout<Code extends Question['option']>(
  question: Question,
  options: readonly Code[],
): question is QuestionAbout<Code> {
  return (options as readonly number[]).includes(question.option);
}
