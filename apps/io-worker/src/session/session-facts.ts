import { workerV1 } from '@holdfast/contracts';
import { byteCount, HoldfastError, MAX_SAFE_BYTES, type ByteCount } from '@holdfast/foundation';
import {
  advertisedFlags,
  BLOCK_BYTES_MINIMUM_MAX,
  findContextDefinition,
  META_CONTEXTS_MAX,
  type MetaContext,
  type ReplyMode,
  type TransmissionFacts,
} from '@holdfast/nbd-protocol';
import type { Holding } from '../holding/holding.js';

const { ReplyMode: Wire } = workerV1;

/** The session as the protocol machine sees it, checked: what was advertised to the client is what is enforced (T5). */
export function parseFacts(session: workerV1.Session, holding: Holding): TransmissionFacts {
  const sizeBytes = sizeOf(session, holding);
  const readOnly = session.readOnly || holding.readOnly;
  const upstream = holding.kind === 'remote' ? holding.remote.offer : undefined;
  const { blockSizeMinimum, payloadMaximum } = session;
  const powerOfTwo = blockSizeMinimum > 0 && (blockSizeMinimum & (blockSizeMinimum - 1)) === 0;
  if (!powerOfTwo || blockSizeMinimum > BLOCK_BYTES_MINIMUM_MAX) {
    throw invalid(
      'block_size_minimum',
      `must be a power of two up to 64 KiB, is ${String(blockSizeMinimum)}`,
    );
  }
  if (upstream !== undefined && blockSizeMinimum < upstream.blockSize.minimum) {
    const least = String(upstream.blockSize.minimum);
    throw invalid('block_size_minimum', `must be at least ${least}, that of the server behind the device`);
  }
  if (payloadMaximum < blockSizeMinimum) {
    throw invalid('payload_maximum', 'must be at least block_size_minimum');
  }
  const replyMode = parseReplyMode(session.replyMode);
  const metaContexts = parseMetaContexts(session.metaContexts, replyMode);
  const transmissionFlags = advertisedFlags({
    readOnly,
    replyMode,
    hasContexts: metaContexts.length > 0,
    upstreamFlags: upstream?.transmissionFlags,
  });
  return { sizeBytes, transmissionFlags, blockSizeMinimum, payloadMaximum, replyMode, metaContexts };
}

/** A session is bounded by what its client was told, whatever the device has become (T5). */
function sizeOf({ sizeBytes }: workerV1.Session, holding: Holding): ByteCount {
  if (sizeBytes === undefined) return holding.sizeBytes;
  if (sizeBytes <= BigInt(MAX_SAFE_BYTES)) return byteCount(sizeBytes);
  throw invalid('size_bytes', 'must be less than 2^53');
}

export function toReplyModeMessage(replyMode: ReplyMode): workerV1.ReplyMode {
  switch (replyMode) {
    case 'simple':
      return Wire.REPLY_MODE_SIMPLE;
    case 'structured':
      return Wire.REPLY_MODE_STRUCTURED;
    case 'extended':
      return Wire.REPLY_MODE_EXTENDED;
  }
}

function parseReplyMode(replyMode: workerV1.ReplyMode): ReplyMode {
  switch (replyMode) {
    case Wire.REPLY_MODE_UNSPECIFIED:
    case Wire.REPLY_MODE_SIMPLE:
      return 'simple';
    case Wire.REPLY_MODE_STRUCTURED:
      return 'structured';
    case Wire.REPLY_MODE_EXTENDED:
      return 'extended';
    case Wire.UNRECOGNIZED:
    default:
      throw invalid('reply_mode', 'is unknown to this worker');
  }
}

/** B5: a context of 64 bits needs extended headers. */
function parseMetaContexts(
  contexts: readonly workerV1.MetaContext[],
  replyMode: ReplyMode,
): readonly MetaContext[] {
  if (contexts.length > META_CONTEXTS_MAX) {
    throw invalid('meta_contexts', `must be at most ${String(META_CONTEXTS_MAX)}`);
  }
  if (contexts.length > 0 && replyMode === 'simple') {
    throw invalid('meta_contexts', 'needs structured replies or extended headers');
  }
  if (new Set(contexts.map(({ id }) => id)).size < contexts.length) {
    throw invalid('meta_contexts', 'must have distinct ids');
  }
  return contexts.map(({ id, name }) => {
    const definition = findContextDefinition(name);
    if (definition === undefined) throw invalid('meta_contexts', `names an unknown context, ${name}`);
    if (definition.flagBits === 64 && replyMode !== 'extended') {
      throw invalid('meta_contexts', `names ${name}, which needs extended headers`);
    }
    return { id, name };
  });
}

function invalid(field: string, problem: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `${field} ${problem}`, { field: `session.${field}` });
}
