import { Buffer } from 'node:buffer';
import { ChunkType, type ReplyMode } from '@holdfast/nbd-protocol';
import { PeerFault } from '../peer-fault.js';
import { hex } from '../wire/bytes.js';
import type { Chunk, Reply } from '../wire/reply.js';

/** What was asked for. */
export interface ReadRange {
  readonly offset: bigint;
  readonly length: number;
}

interface Content {
  readonly at: bigint;
  readonly bytes: Buffer;
}

/**
 * The data in a reply to READ that succeeded, put together.
 *
 * @throws PeerFault if it has not the form of the mode, or its chunks leave the request, overlap or do not cover it
 */
export function dataOf(reply: Reply, mode: ReplyMode, range: ReadRange): Buffer {
  if (reply.form === 'simple') {
    if (mode !== 'simple') throw new PeerFault('a simple reply to READ');
    return reply.data;
  }
  const data = Buffer.alloc(range.length);
  let covered = 0;
  const seen: [from: bigint, to: bigint][] = [];
  for (const chunk of reply.chunks) {
    const content = contentOf(chunk, range);
    if (content === undefined) continue;
    const { at, bytes } = content;
    const to = at + BigInt(bytes.length);
    if (at < range.offset || to > range.offset + BigInt(range.length)) {
      throw new PeerFault(`a chunk of ${at} to ${to}, which is outside the request`);
    }
    if (seen.some(([from, until]) => at < until && from < to)) {
      throw new PeerFault(`a chunk of ${at} to ${to}, which overlaps another`);
    }
    seen.push([at, to]);
    covered += bytes.length;
    bytes.copy(data, Number(at - range.offset));
  }
  if (covered !== range.length) throw new PeerFault(`chunks that cover ${covered} bytes of ${range.length}`);
  return data;
}

/** Chunks that carry data or stand for it. */
export function isContent({ type }: Chunk): boolean {
  return (
    type === ChunkType.OFFSET_DATA || type === ChunkType.OFFSET_HOLE || type === ChunkType.OFFSET_HOLE_EXT
  );
}

function contentOf({ type, payload }: Chunk, range: ReadRange): Content | undefined {
  switch (type) {
    case ChunkType.NONE:
      expectPayload('NBD_REPLY_TYPE_NONE', payload, payload.length === 0);
      return undefined;
    case ChunkType.OFFSET_DATA:
      expectPayload('NBD_REPLY_TYPE_OFFSET_DATA', payload, payload.length >= 9);
      return { at: payload.readBigUInt64BE(0), bytes: payload.subarray(8) };
    case ChunkType.OFFSET_HOLE:
      expectPayload('NBD_REPLY_TYPE_OFFSET_HOLE', payload, payload.length === 12);
      return hole(payload.readBigUInt64BE(0), BigInt(payload.readUInt32BE(8)), range);
    case ChunkType.OFFSET_HOLE_EXT:
      expectPayload('NBD_REPLY_TYPE_OFFSET_HOLE_EXT', payload, payload.length === 16);
      return hole(payload.readBigUInt64BE(0), payload.readBigUInt64BE(8), range);
    default:
      throw new PeerFault(`a chunk of type ${hex(type)} in the reply to READ`);
  }
}

function hole(at: bigint, size: bigint, { length }: ReadRange): Content {
  if (size === 0n) throw new PeerFault('a hole of 0 bytes');
  if (size > BigInt(length)) throw new PeerFault(`a hole of ${size} bytes, more than the request`);
  return { at, bytes: Buffer.alloc(Number(size)) };
}

function expectPayload(name: string, payload: Buffer, isRight: boolean): void {
  if (!isRight) throw new PeerFault(`an ${name} of ${payload.length} bytes`);
}
