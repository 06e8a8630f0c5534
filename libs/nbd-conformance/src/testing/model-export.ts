import type { Buffer } from 'node:buffer';
import type { SecureContext } from 'node:tls';
import type { ArrivedRequest } from '@holdfast/nbd-client/testing/peer';
import { TransmissionFlag, type ReplyMode } from '@holdfast/nbd-protocol';
import { pattern } from '@holdfast/nbd-client/testing/wire';

/** What a connection has come to. */
export interface ModelState {
  mode: ReplyMode;
  /** Id of `base:allocation`, if it was selected. */
  contextId: number | undefined;
  isSecured: boolean;
}

/** A hook's word for what to do in place of an answer. */
export type Instead = Buffer | 'close' | 'silence';

export interface ArrivedOption {
  readonly code: number;
  readonly data: Buffer;
}

/** Where a bad server differs from a good one; what a hook returns undefined for is done well. */
export interface Faults {
  /** Client flags that should end the connection do not. */
  readonly takesAnyFlags?: boolean;
  /** What is answered to an option. */
  readonly option?: (option: ArrivedOption, state: ModelState, good: Buffer) => Instead | undefined;
  /** Bytes of data that are taken off the stream behind an option. */
  readonly optionBytes?: (code: number, length: number) => number | undefined;
  /** What is answered to a request. */
  readonly request?: (request: ArrivedRequest, state: ModelState, good: Buffer) => Instead | undefined;
  /** Bytes of payload that are taken off the stream behind a request. */
  readonly payloadBytes?: (request: Omit<ArrivedRequest, 'payload'>, good: bigint) => bigint | undefined;
  /** What is sent on DISC. */
  readonly disc?: Buffer;
  /** What STARTTLS forgets, or does not. */
  readonly keepsAcrossTls?: 'state' | 'bytes';
  /** The process dies of what is no request. */
  readonly diesOfNonsense?: boolean;
  /** The process dies on a request. */
  readonly diesOf?: (request: ArrivedRequest) => boolean;
}

/** A good server with one export, `disk`, and whatever faults a test gives it. */
export interface Model {
  readonly faults: Faults;
  readonly image: Buffer;
  readonly flags: number;
  readonly blockSize: readonly [minimum: number, preferred: number, maximum: number];
  /** Modes beyond the simple one. */
  readonly modes: readonly ReplyMode[];
  readonly tls: {
    readonly mode: 'none' | 'required' | 'offered';
    readonly context: SecureContext | undefined;
  };
}

/** HAS_FLAGS and every offer but READ_ONLY and ROTATIONAL; those of a mode are added there. */
export const MODEL_FLAGS =
  TransmissionFlag.HAS_FLAGS |
  TransmissionFlag.SEND_FLUSH |
  TransmissionFlag.SEND_FUA |
  TransmissionFlag.SEND_TRIM |
  TransmissionFlag.SEND_WRITE_ZEROES |
  TransmissionFlag.CAN_MULTI_CONN |
  TransmissionFlag.SEND_CACHE |
  TransmissionFlag.SEND_FAST_ZERO;

export function modelOf(parts: Partial<Model> = {}): Model {
  return {
    faults: {},
    image: pattern(512 * 1024),
    flags: MODEL_FLAGS,
    blockSize: [1, 4096, 65_536],
    modes: ['structured', 'extended'],
    tls: { mode: 'none', context: undefined },
    ...parts,
  };
}

/** The flags that GO tells in a mode. */
export function flagsIn({ flags }: Model, { mode, contextId }: ModelState): number {
  const df = mode === 'simple' ? 0 : TransmissionFlag.SEND_DF;
  const filter = mode === 'extended' && contextId !== undefined ? TransmissionFlag.BLOCK_STATUS_PAYLOAD : 0;
  return flags | df | filter;
}
