import { Command, CommandFlag, parseBlockStatusFilter } from '@holdfast/nbd-protocol';
import { NbdRequestError } from '../errors/request-error.js';
import type { CommandIssuer } from './command-issuer.js';
import { BlockStatusReply, type ContextExtents } from './replies/block-status-reply.js';
import { pieceByPiece } from './replies/read-destination.js';
import { ReadReply } from './replies/read-reply.js';
import { StatusReply } from './replies/status-reply.js';
import { toUint64, type WireRequest } from './request.js';

/** Any request: what is not known to the protocol too. */
export interface ProbeRequest {
  /** 16 bits. */
  readonly type: number;
  /** 16 bits. */
  readonly flags: number;
  readonly offset: number | bigint;
  /** That of the payload where there is one. */
  readonly length: number | bigint;
  /** There exactly where the server will read one: with WRITE, with extended headers with PAYLOAD_LEN. */
  readonly payload?: Uint8Array;
}

/**
 * Sends a request as it is. The reply is held against the protocol as always.
 *
 * @throws NbdRequestError with a strict connection, or if the server could not tell where the request ends
 */
export async function probe(issuer: CommandIssuer, request: ProbeRequest): Promise<void> {
  if (issuer.isStrict) {
    throw new NbdRequestError(
      'not-negotiated',
      'this connection is strict: connect with strict set to false to probe',
    );
  }
  const wire: WireRequest = {
    type: request.type,
    flags: request.flags,
    offset: toUint64(request.offset, 'offset'),
    length: toUint64(request.length, 'length'),
    payload: request.payload,
  };
  const prepared = issuer.prepareUnchecked(wire);
  const asked = { command: `command ${String(wire.type)}`, offset: wire.offset, length: effectLength(wire) };
  switch (wire.type) {
    case Command.READ: {
      const unfragmented = (wire.flags & CommandFlag.DF) !== 0;
      const destination = pieceByPiece(wire.offset, () => undefined);
      await issuer.issue<undefined>(
        prepared,
        (settle) => new ReadReply(asked, unfragmented, destination, settle),
      );
      return;
    }
    case Command.BLOCK_STATUS: {
      const facts = blockStatusFacts(issuer, wire);
      await issuer.issue<readonly ContextExtents[]>(
        prepared,
        (settle) => new BlockStatusReply(asked, facts, settle),
      );
      return;
    }
    default:
      await issuer.issue<undefined>(prepared, (settle) => new StatusReply(asked, settle));
  }
}

function filterOf({ type, payload }: WireRequest) {
  if (type !== Command.BLOCK_STATUS || payload === undefined) return undefined;
  const filter = parseBlockStatusFilter(payload);
  return filter === 'malformed' ? undefined : filter;
}

function effectLength(wire: WireRequest): bigint {
  return filterOf(wire)?.effectLength ?? wire.length;
}

function blockStatusFacts({ facts }: CommandIssuer, wire: WireRequest) {
  const ids = filterOf(wire)?.contextIds;
  return {
    extended: facts.replyMode === 'extended',
    contexts: facts.metaContexts.filter(({ id }) => ids?.includes(id) ?? true),
    reqOne: (wire.flags & CommandFlag.REQ_ONE) !== 0,
    blockSizeMinimum: facts.blockSize.minimum,
    exportSize: facts.sizeBytes,
  };
}
