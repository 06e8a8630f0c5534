import type { Duplex } from 'node:stream';
import { HoldfastError } from '@holdfast/foundation';
import type { InfoExport } from '@holdfast/nbd-protocol';
import { NbdConnectionClosedError, NbdConnectionLostError } from '../errors/connection-errors.js';
import { GOODBYE_MS } from '../limits.js';
import type { ReceiveMemory } from '../ownership/receive-memory.js';
import { closePolitely } from '../socket/close-politely.js';
import { ClientHandshake, type HandshakeStep } from './client-handshake.js';
import type { OptionExchange } from './option-exchange.js';
import { plainOption } from './options/plain-option.js';

type Outcome = Exclude<HandshakeStep, { kind: 'need-input' }>;

interface Waiting {
  readonly what: string;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** What becomes of a stream after its handshake. */
export interface HandedOver {
  readonly stream: Duplex;
  /** Received already, beyond the handshake. */
  readonly remainder: Uint8Array;
}

/** A handshake on a stream: one question at a time, each with an answer, an error or a timeout. */
export class HandshakeChannel {
  readonly #machine = new ClientHandshake();
  readonly #receive: ReceiveMemory;
  readonly #answerMs: number;
  #stream: Duplex;
  #waiting: Waiting | undefined;
  #isReleased = false;
  /** Why nothing can be asked any more. */
  #ended: HoldfastError | undefined;

  constructor(stream: Duplex, answerMs: number, receive: ReceiveMemory) {
    this.#stream = stream;
    this.#answerMs = answerMs;
    this.#receive = receive;
    this.#attach();
  }

  /** Awaits the server's greeting and answers it. */
  async greet(): Promise<void> {
    const outcome = await this.#wait('the greeting');
    if (outcome.kind === 'greeted') this.#stream.write(outcome.bytes);
  }

  /**
   * Asks for an option.
   *
   * @throws NbdOptionError if the server refuses; the next may be asked then
   * @throws HoldfastError if the server breaks the protocol, goes away or does not answer; the stream is closed then
   */
  ask<Result>(exchange: OptionExchange<Result>): Promise<Result> {
    return this.#ask(exchange, this.#answerMs);
  }

  /** Asks for an export by EXPORT_NAME. A server that does not have it closes the connection (N3). */
  async askExportName(exportName: string): Promise<InfoExport> {
    this.#assertOpen();
    this.#stream.write(this.#machine.askExportName(exportName));
    const outcome = await this.#wait('the answer to EXPORT_NAME');
    if (outcome.kind !== 'export') throw new NbdConnectionClosedError();
    return outcome.facts;
  }

  /** Gives the stream away, to go on with TLS or with transmission. Nothing is read from it in between. */
  release(): HandedOver {
    this.#detach();
    this.#isReleased = true;
    const remainder =
      this.#machine.phase === 'transmission' ? this.#machine.takeRemainder() : new Uint8Array();
    return { stream: this.#stream, remainder };
  }

  /** Goes on through TLS. */
  resume(secured: Duplex): void {
    this.#stream = secured;
    this.#isReleased = false;
    this.#machine.secured();
    this.#attach();
  }

  /** Says ABORT, and closes whatever comes of it; after {@link release} it does nothing. */
  async abort(): Promise<void> {
    if (this.#isReleased) return;
    if (this.#ended === undefined && this.#machine.phase === 'options') {
      // "the client SHOULD gracefully handle the server closing the connection … without it sending a reply".
      await this.#ask(plainOption('ABORT'), GOODBYE_MS).catch(() => undefined);
      this.#ended ??= new NbdConnectionClosedError();
      await closePolitely(this.#stream, GOODBYE_MS);
    }
    this.close();
  }

  /** Closes the stream, at once. */
  close(error: HoldfastError = new NbdConnectionClosedError()): void {
    this.#ended ??= error;
    this.#stream.destroy();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(waiting?.timer);
    waiting?.reject(this.#ended);
  }

  async #ask<Result>(exchange: OptionExchange<Result>, answerMs: number): Promise<Result> {
    this.#assertOpen();
    this.#stream.write(this.#machine.ask(exchange));
    const outcome = await this.#wait(`the answer to ${exchange.option}`, answerMs);
    if (outcome.kind === 'refused') throw outcome.error;
    try {
      return exchange.finish();
    } catch (error) {
      this.close(asHoldfastError(error));
      throw error;
    }
  }

  #wait(what: string, answerMs = this.#answerMs): Promise<Outcome> {
    return new Promise<Outcome>((resolve, reject) => {
      const timer = setTimeout(() => {
        const seconds = String(answerMs / 1000);
        this.close(
          new HoldfastError(
            'NBD_SERVER_UNREACHABLE',
            `the NBD server did not send ${what} within ${seconds} s`,
          ),
        );
      }, answerMs);
      this.#waiting = { what, resolve, reject, timer };
      if (this.#ended !== undefined) this.close(this.#ended);
      else this.#advance();
    });
  }

  #advance(): void {
    // What comes unasked is for the machine to judge; the greeting comes unasked, and waits for whoever awaits it.
    if (this.#waiting === undefined && this.#machine.phase === 'greeting') return;
    try {
      for (let step = this.#machine.next(); step.kind !== 'need-input'; step = this.#machine.next()) {
        const waiting = this.#waiting;
        this.#waiting = undefined;
        clearTimeout(waiting?.timer);
        waiting?.resolve(step);
      }
    } catch (error) {
      this.close(asHoldfastError(error));
    }
  }

  readonly #onData = (received: Uint8Array): void => {
    this.#receive(received, (bytes) => {
      this.#machine.push(bytes);
    });
    this.#advance();
  };

  readonly #onEnd = (): void => {
    const what = this.#waiting?.what;
    this.close(new NbdConnectionLostError(what === undefined ? 'in the handshake' : `before ${what}`));
  };

  readonly #onError = (error: Error): void => {
    this.close(new NbdConnectionLostError('in the handshake', error));
  };

  #assertOpen(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  #attach(): void {
    this.#stream
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('close', this.#onEnd)
      .on('error', this.#onError);
    // A socket is paused until somebody listens.
    this.#stream.resume();
  }

  #detach(): void {
    this.#stream.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd);
    this.#stream.pause();
    this.#stream.off('error', this.#onError);
  }
}

function asHoldfastError(error: unknown): HoldfastError {
  return error instanceof HoldfastError
    ? error
    : new HoldfastError('INTERNAL', 'the handshake failed by a bug of this client', {}, error);
}
