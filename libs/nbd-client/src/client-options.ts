import { assert } from '@holdfast/foundation';
import { ANSWER_MS_DEFAULT, IN_FLIGHT_REQUESTS_DEFAULT } from './limits.js';
import { receiveInPlace, receivePoisoned, type ReceiveMemory } from './ownership/receive-memory.js';

/** How a client behaves; every field may be left out. */
export interface ClientOptions {
  /** Ask for extended headers. Default true. */
  readonly extendedHeaders?: boolean;
  /** Ask for structured replies, where extended headers are refused or not wanted. Default true. */
  readonly structuredReplies?: boolean;
  /**
   * Refuse requests that do not keep to what was negotiated, instead of sending them. Default true; false is for those
   * who want to see what a server does about them.
   */
  readonly strict?: boolean;
  /** Requests in flight on one connection; more wait for a place. Default {@link IN_FLIGHT_REQUESTS_DEFAULT}. */
  readonly inFlightMax?: number;
  /** Longest wait for one step of the handshake, milliseconds. Default {@link ANSWER_MS_DEFAULT}. */
  readonly answerMs?: number;
  /**
   * For tests: read every byte in a buffer that is used again and poisoned as soon as it was read, so that whoever kept a
   * view of it is found out (A1, A3). Default false.
   */
  readonly poisonReceived?: boolean;
}

/** The same with nothing left out. */
export interface ClientSettings {
  readonly extendedHeaders: boolean;
  readonly structuredReplies: boolean;
  readonly strict: boolean;
  readonly inFlightMax: number;
  readonly answerMs: number;
  readonly receive: ReceiveMemory;
}

export function clientSettings(options: ClientOptions): ClientSettings {
  const inFlightMax = options.inFlightMax ?? IN_FLIGHT_REQUESTS_DEFAULT;
  assert(Number.isInteger(inFlightMax) && inFlightMax >= 1, 'at least one request is in flight');
  return {
    extendedHeaders: options.extendedHeaders ?? true,
    structuredReplies: options.structuredReplies ?? true,
    strict: options.strict ?? true,
    inFlightMax,
    answerMs: options.answerMs ?? ANSWER_MS_DEFAULT,
    receive: options.poisonReceived === true ? receivePoisoned() : receiveInPlace,
  };
}
