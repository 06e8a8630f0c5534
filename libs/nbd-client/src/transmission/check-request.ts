import {
  CommandFlag,
  TransmissionFlag,
  type MetaContext,
  type ReplyMode,
  type BlockSize,
} from '@holdfast/nbd-protocol';
import { NbdRequestError } from '../errors/request-error.js';
import { TRANSFER_BYTES_MAX } from '../limits.js';
import type { CommandName } from './request.js';

/** What was negotiated; requests are held against it. */
export interface TransmissionFacts {
  readonly sizeBytes: bigint;
  /** Union of `TransmissionFlag`. */
  readonly transmissionFlags: number;
  readonly blockSize: BlockSize;
  readonly replyMode: ReplyMode;
  readonly metaContexts: readonly MetaContext[];
}

/** A request before it is made into a message. */
export interface CheckedRequest {
  readonly command: CommandName;
  /** Union of `CommandFlag`. */
  readonly flags: number;
  /** Bytes from the start of the export. */
  readonly offset: bigint;
  /** Bytes of the export. */
  readonly length: bigint;
}

/** The flag by which a server offers a command; READ and WRITE are always there. */
const offers: Partial<Record<CommandName, number>> = {
  FLUSH: TransmissionFlag.SEND_FLUSH,
  TRIM: TransmissionFlag.SEND_TRIM,
  CACHE: TransmissionFlag.SEND_CACHE,
  WRITE_ZEROES: TransmissionFlag.SEND_WRITE_ZEROES,
};

const changes: ReadonlySet<CommandName> = new Set(['WRITE', 'TRIM', 'WRITE_ZEROES']);

/**
 * Holds a request against what was negotiated, in the order in which a server would (section "Request types").
 *
 * @throws NbdRequestError if a server may refuse it; nothing was sent
 */
export function checkRequest(facts: TransmissionFacts, request: CheckedRequest): void {
  const { command, flags } = request;
  const has = (flag: number) => (facts.transmissionFlags & flag) !== 0;
  if (changes.has(command) && has(TransmissionFlag.READ_ONLY)) {
    throw new NbdRequestError('read-only', `the export is read-only, so ${command} is not possible`);
  }
  if (!has(offers[command] ?? TransmissionFlag.HAS_FLAGS)) {
    throw new NbdRequestError('not-offered', `the NBD server does not offer ${command}`);
  }
  checkFlags(facts, command, flags);
  if (command === 'BLOCK_STATUS') checkContexts(facts);
  if (command !== 'FLUSH') checkRange(facts, request);
}

function checkFlags(facts: TransmissionFacts, command: CommandName, flags: number): void {
  const needs = [
    [CommandFlag.FUA, TransmissionFlag.SEND_FUA, 'FUA'],
    [CommandFlag.DF, TransmissionFlag.SEND_DF, 'DF'],
    [CommandFlag.FAST_ZERO, TransmissionFlag.SEND_FAST_ZERO, 'FAST_ZERO'],
  ] as const;
  for (const [flag, offer, name] of needs) {
    if ((flags & flag) !== 0 && (facts.transmissionFlags & offer) === 0) {
      throw new NbdRequestError('not-offered', `the NBD server does not offer ${name} with ${command}`);
    }
  }
  if ((flags & CommandFlag.DF) !== 0 && facts.replyMode === 'simple') {
    throw new NbdRequestError(
      'not-negotiated',
      'DF is of use with structured replies or extended headers only',
    );
  }
}

function checkContexts({ replyMode, metaContexts }: TransmissionFacts): void {
  if (replyMode === 'simple') {
    throw new NbdRequestError(
      'not-negotiated',
      'BLOCK_STATUS needs structured replies or extended headers, and none were negotiated',
    );
  }
  if (metaContexts.length === 0) {
    throw new NbdRequestError(
      'not-negotiated',
      'BLOCK_STATUS needs a metadata context, and none was selected in the handshake',
    );
  }
}

function checkRange(facts: TransmissionFacts, { command, offset, length }: CheckedRequest): void {
  const { sizeBytes, blockSize } = facts;
  if (length === 0n)
    throw new NbdRequestError('zero-length', `${command} of no bytes has no defined outcome`);
  if (offset + length > sizeBytes) {
    throw new NbdRequestError(
      'out-of-range',
      `${command} of ${length} bytes at offset ${offset} goes beyond the ${sizeBytes} bytes of the export`,
    );
  }
  if (command === 'READ' || command === 'WRITE')
    assertTransferable(command, length, blockSize.payloadMaximum);
  const minimum = BigInt(blockSize.minimum);
  if (offset % minimum !== 0n || length % minimum !== 0n) {
    throw new NbdRequestError(
      'misaligned',
      `${command} of ${length} bytes at offset ${offset}: both must be multiples of ${minimum}, the minimum block size`,
    );
  }
}

/**
 * A bound that holds without strictness too where memory is taken for the data (T19).
 *
 * @throws NbdRequestError of more bytes than one READ or WRITE may carry
 */
export function assertTransferable(
  command: CommandName,
  length: bigint,
  payloadMaximum = TRANSFER_BYTES_MAX,
): void {
  const most = Math.min(payloadMaximum, TRANSFER_BYTES_MAX);
  if (length > BigInt(most)) {
    throw new NbdRequestError('too-long', `${command} of ${length} bytes: the most is ${String(most)}`);
  }
}
