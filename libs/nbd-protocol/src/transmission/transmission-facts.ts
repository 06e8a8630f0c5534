import { assert, type ByteCount } from '@holdfast/foundation';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import type { MetaContext } from '../handshake/meta-context.js';
import type { ReplyMode } from '../handshake/reply-mode.js';
import {
  BLOCK_BYTES_MINIMUM_MAX,
  CHUNK_OUTPUT_BYTES_MIN,
  INPUT_BYTES_MIN,
  META_CONTEXTS_MAX,
  OUTPUT_BYTES_MIN,
} from '../limits.js';
import { findContextDefinition } from '../metadata/catalogue.js';
import type { Pace } from './pace.js';
import { filterBytesMax } from './status-filter.js';

/** What the handshake announced about the export; requests are held against it. */
export interface TransmissionFacts {
  /** Size of the export. */
  readonly sizeBytes: ByteCount;
  /** Union of `TransmissionFlag`. */
  readonly transmissionFlags: number;
  /** Offsets and lengths are multiples of this, bytes; a power of two (T5). */
  readonly blockSizeMinimum: number;
  /** Longest READ and WRITE, bytes. */
  readonly payloadMaximum: number;
  /** How requests and replies look. */
  readonly replyMode: ReplyMode;
  /** What BLOCK_STATUS answers, by distinct ids; none with simple replies. */
  readonly metaContexts: readonly MetaContext[];
}

/**
 * Memory that the owner lends for the life of the machine. A WRITE that fits the input together with its header is
 * written in one piece without being moved, so an input should be a little more than a power of two.
 */
export interface TransmissionBuffers {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

export interface TransmissionOptions {
  /** READs of at least this many bytes, and runs of data in chunks, use `Step.transfer`; Infinity: never. */
  readonly transferMinimum: number;
  /** Bytes of queued replies at which they are sent though more requests wait. Default 256 KiB. */
  readonly sendThreshold?: number;
  /** Bytes written since the last send at which replies are sent though more requests wait. Default 64 KiB. */
  readonly writeThreshold?: number;
  /** Asked before each request is begun, but for those that are answered ESHUTDOWN. Default: all are begun at once. */
  readonly pace?: Pace;
}

/** Asserts that a session can be served: all of this is the owner's to choose. */
export function checkTransmission(
  facts: TransmissionFacts,
  buffers: TransmissionBuffers,
  options: TransmissionOptions,
): void {
  const { sizeBytes, blockSizeMinimum, payloadMaximum, transmissionFlags } = facts;
  assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, 'the size of an export is below 2^53');
  assert(
    Number.isInteger(Math.log2(blockSizeMinimum)) && blockSizeMinimum <= BLOCK_BYTES_MINIMUM_MAX,
    'the minimum block size is a power of two up to 64 KiB',
  );
  assert(payloadMaximum >= blockSizeMinimum, 'the maximum payload is at least the minimum block size');
  assert(
    (transmissionFlags & TransmissionFlag.SEND_FAST_ZERO) === 0 ||
      (transmissionFlags & TransmissionFlag.SEND_WRITE_ZEROES) !== 0,
    'FAST_ZERO is offered with WRITE_ZEROES only',
  );
  assert(
    (transmissionFlags & TransmissionFlag.SEND_DF) === 0 || facts.replyMode !== 'simple',
    'DF is offered with chunks only',
  );
  assert(
    (transmissionFlags & TransmissionFlag.BLOCK_STATUS_PAYLOAD) === 0 || facts.replyMode === 'extended',
    'a payload of BLOCK_STATUS is offered with extended headers only',
  );
  assertContexts(facts);
  assert(buffers.input.length >= INPUT_BYTES_MIN, 'the input buffer holds at least 64 bytes');
  assert(
    buffers.input.length >= filterBytesMax(facts),
    'the input buffer holds the ids of all metadata contexts',
  );
  assert(buffers.output.length >= OUTPUT_BYTES_MIN, 'the output buffer holds at least 64 bytes');
  assert(
    facts.replyMode === 'simple' || buffers.output.length >= CHUNK_OUTPUT_BYTES_MIN,
    'the output buffer holds at least 256 bytes of chunks',
  );
  assert(options.transferMinimum >= 0, 'the transfer minimum is not negative');
  assert((options.sendThreshold ?? 1) >= 1, 'the send threshold is at least 1 byte');
  assert((options.writeThreshold ?? 1) >= 1, 'the write threshold is at least 1 byte');
}

function assertContexts({ metaContexts, replyMode }: TransmissionFacts): void {
  assert(metaContexts.length <= META_CONTEXTS_MAX, 'a session has at most 16 metadata contexts');
  assert(
    metaContexts.length === 0 || replyMode !== 'simple',
    'metadata contexts need structured replies or extended headers',
  );
  const ids = new Set(metaContexts.map(({ id }) => id));
  assert(ids.size === metaContexts.length, 'the ids of metadata contexts are distinct');
  for (const { name } of metaContexts) {
    const definition = findContextDefinition(name);
    assert(definition !== undefined, 'the metadata contexts of a session are known');
    assert(
      definition.flagBits === 32 || replyMode === 'extended',
      'a metadata context of 64 bits needs extended headers (B5)',
    );
  }
}
