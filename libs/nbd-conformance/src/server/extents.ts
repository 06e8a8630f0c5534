import { ChunkType } from '@holdfast/nbd-protocol';
import { PeerFault } from '../peer-fault.js';
import type { Chunk, Reply } from '../wire/reply.js';

export interface Extent {
  readonly length: bigint;
  readonly flags: bigint;
}

/** What one chunk tells of one context. */
export interface ContextStatus {
  readonly id: number;
  readonly extents: readonly Extent[];
}

/** The contexts in a reply to BLOCK_STATUS. @throws PeerFault if a chunk has not the form that it must have */
export function statusIn({ chunks }: Reply): ContextStatus[] {
  return chunks.filter(({ type }) => type !== ChunkType.NONE).map(decode);
}

function decode({ type, payload, offset }: Chunk): ContextStatus {
  if (type === ChunkType.BLOCK_STATUS) {
    if (payload.length < 12 || payload.length % 8 !== 4)
      throw wrongLength('NBD_REPLY_TYPE_BLOCK_STATUS', payload);
    const extents = Array.from({ length: (payload.length - 4) / 8 }, (_, index) => ({
      length: BigInt(payload.readUInt32BE(4 + 8 * index)),
      flags: BigInt(payload.readUInt32BE(8 + 8 * index)),
    }));
    return { id: payload.readUInt32BE(0), extents };
  }
  // Only an extended reply has an offset.
  if (type === ChunkType.BLOCK_STATUS_EXT && offset !== undefined) {
    if (payload.length < 24 || payload.length % 16 !== 8) {
      throw wrongLength('NBD_REPLY_TYPE_BLOCK_STATUS_EXT', payload);
    }
    const count = (payload.length - 8) / 16;
    const told = payload.readUInt32BE(4);
    if (told !== 0 && told !== count)
      throw new PeerFault(`a count of ${told} in a chunk of ${count} extents`);
    const extents = Array.from({ length: count }, (_, index) => ({
      length: payload.readBigUInt64BE(8 + 16 * index),
      flags: payload.readBigUInt64BE(16 + 16 * index),
    }));
    return { id: payload.readUInt32BE(0), extents };
  }
  throw new PeerFault(`a chunk of type ${type} in the reply to BLOCK_STATUS`);
}

function wrongLength(name: string, { length }: Buffer): PeerFault {
  return new PeerFault(`an ${name} of ${length} bytes`);
}
