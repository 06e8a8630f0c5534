import { Buffer } from 'node:buffer';
import { assert } from '@holdfast/foundation';
import {
  ClientFlag,
  encodeClientFlags,
  encodeOption,
  exportNameReplyBytes,
  GREETING_BYTES,
  HandshakeFlag,
  Option,
  OPTION_REPLY_HEADER_BYTES,
  OptionReplyType,
  parseExportNameReply,
  parseOptionReply,
  type InfoExport,
} from '@holdfast/nbd-protocol';
import { NbdOptionError } from '../errors/option-error.js';
import { NbdProtocolError } from '../errors/protocol-error.js';
import { OPTION_REPLY_BYTES_MAX } from '../limits.js';
import {
  transition,
  type ClientHandshakePhase,
  type ClientHandshakeState,
} from './client-handshake-state.js';
import { checkTransmissionFlags } from './export-info.js';
import { readGreeting } from './greeting-check.js';
import { unexpectedReply, type OptionExchange } from './option-exchange.js';

/** What a handshake has come to. */
export type HandshakeStep =
  | { readonly kind: 'need-input' }
  /** The server has greeted: send the bytes, then it is the client's turn. */
  | { readonly kind: 'greeted'; readonly bytes: Uint8Array }
  /** The option was accepted: its exchange has the result. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: NbdOptionError }
  /** The answer to EXPORT_NAME: transmission has begun. */
  | { readonly kind: 'export'; readonly facts: InfoExport };

const NEED_INPUT: HandshakeStep = { kind: 'need-input' };
const ERROR_BIT = 0x8000_0000;

/**
 * The client's side of the fixed newstyle handshake, without a socket: bytes are pushed in, and {@link next} says what they
 * came to. One option is asked at a time ("The client MUST NOT send any option until it has received a final reply").
 *
 * What is held between two pushes is less than one option reply of bounded length (T19).
 */
export class ClientHandshake {
  #input = Buffer.alloc(0);
  #state: ClientHandshakeState = { phase: 'greeting' };
  #noZeroes = false;

  get phase(): ClientHandshakePhase {
    return this.#state.phase;
  }

  /** Bytes pushed and not used yet. */
  get bufferedBytes(): number {
    return this.#input.length;
  }

  /** Takes bytes, lent for the call; call {@link next} until it needs more before the next push. */
  push(bytes: Uint8Array): void {
    this.#input = Buffer.concat([this.#input, bytes]);
  }

  /** @returns the bytes that ask for the option */
  ask(exchange: OptionExchange<unknown>): Uint8Array {
    this.#become({ phase: 'awaiting-replies', exchange });
    return encodeOption(Option[exchange.option], exchange.data);
  }

  /** @returns the bytes that ask for the export by EXPORT_NAME, which servers without GO need */
  askExportName(exportName: string): Uint8Array {
    this.#become({ phase: 'awaiting-export' });
    return encodeOption(Option.EXPORT_NAME, Buffer.from(exportName));
  }

  /** TLS is up, and what is pushed from now on came through it. */
  secured(): void {
    assert(this.#input.length === 0, 'no plaintext is read as if it had come through TLS');
    this.#become({ phase: 'options' });
  }

  /** @throws HoldfastError if the server broke the protocol; the handshake is over then */
  next(): HandshakeStep {
    try {
      return this.#next();
    } catch (error) {
      this.#state = { phase: 'closed' };
      throw error;
    }
  }

  /** Takes what was received beyond the handshake. */
  takeRemainder(): Buffer {
    assert(this.#state.phase === 'transmission', 'only what follows the handshake is handed on');
    const remainder = this.#input;
    this.#input = Buffer.alloc(0);
    return remainder;
  }

  #next(): HandshakeStep {
    const state = this.#state;
    switch (state.phase) {
      case 'greeting':
        return this.#takeGreeting();
      case 'awaiting-replies':
        return this.#takeReply(state.exchange);
      case 'awaiting-export':
        return this.#takeExport();
      case 'options':
        if (this.#input.length > 0) throw new NbdProtocolError('bytes-out-of-turn');
        return NEED_INPUT;
      case 'tls':
      case 'transmission':
      case 'closed':
        return NEED_INPUT;
    }
  }

  #takeGreeting(): HandshakeStep {
    const greeting = readGreeting(this.#input);
    if (greeting === 'incomplete') return NEED_INPUT;
    this.#use(GREETING_BYTES);
    this.#noZeroes = (greeting.handshakeFlags & HandshakeFlag.NO_ZEROES) !== 0;
    this.#become({ phase: 'options' });
    // "Clients MUST NOT set any other flags", nor one that the server did not set (N2).
    const clientFlags = ClientFlag.FIXED_NEWSTYLE | (this.#noZeroes ? ClientFlag.NO_ZEROES : 0);
    return { kind: 'greeted', bytes: encodeClientFlags({ clientFlags }) };
  }

  #takeReply(exchange: OptionExchange<unknown>): HandshakeStep {
    for (;;) {
      const reply = parseOptionReply(this.#input, OPTION_REPLY_BYTES_MAX);
      if (reply === 'incomplete') return NEED_INPUT;
      if (reply === 'bad-magic') throw new NbdProtocolError('bad-option-reply', `to ${exchange.option}`);
      if (reply === 'too-long') throw new NbdProtocolError('option-reply-too-long', `to ${exchange.option}`);
      if (reply.option !== Option[exchange.option]) {
        throw new NbdProtocolError('bad-option-reply', `to ${exchange.option}: it names another option`);
      }
      this.#use(OPTION_REPLY_HEADER_BYTES + reply.data.length);
      if (reply.type >= ERROR_BIT) return this.#refused(exchange, reply.type, reply.data);
      if (reply.type === OptionReplyType.ACK) return this.#accepted(exchange, reply.data);
      exchange.take(reply.type, reply.data);
    }
  }

  #accepted({ option, after }: OptionExchange<unknown>, data: Uint8Array): HandshakeStep {
    if (data.length > 0) throw unexpectedReply(option, OptionReplyType.ACK);
    // Somebody between could have put it there, to be taken for what comes through TLS (N7).
    if (after === 'tls' && this.#input.length > 0) throw new NbdProtocolError('plaintext-after-starttls');
    this.#become({ phase: after });
    return { kind: 'accepted' };
  }

  #refused({ option }: OptionExchange<unknown>, type: number, data: Uint8Array): HandshakeStep {
    this.#become({ phase: 'options' });
    return { kind: 'refused', error: new NbdOptionError(option, type, Buffer.from(data).toString()) };
  }

  #takeExport(): HandshakeStep {
    const facts = parseExportNameReply(this.#input, this.#noZeroes);
    if (facts === 'incomplete') return NEED_INPUT;
    checkTransmissionFlags(facts.transmissionFlags);
    this.#use(exportNameReplyBytes(this.#noZeroes));
    this.#become({ phase: 'transmission' });
    return { kind: 'export', facts };
  }

  #use(count: number): void {
    this.#input = this.#input.subarray(count);
  }

  #become(state: ClientHandshakeState): void {
    this.#state = transition(this.#state, state);
  }
}
