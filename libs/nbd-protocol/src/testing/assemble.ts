import { Buffer } from 'node:buffer';
import type { ChunkedReply } from './chunks.js';

/**
 * Puts the content of a reply to READ together, as a client does; throws where chunks overlap or lie outside the request
 * (T9).
 *
 * @returns the bytes, and how many of them came, from the beginning on
 */
export function assemble(
  reply: ChunkedReply,
  offset: number,
  length: number,
): { data: Buffer; covered: number } {
  const data = Buffer.alloc(length, 0xee);
  const isCovered = new Uint8Array(length);
  for (const chunk of reply.chunks) {
    if (chunk.kind === 'status') throw new Error('a READ has no status');
    const size = chunk.kind === 'data' ? chunk.data.length : chunk.length;
    const at = chunk.offset - offset;
    if (size < 1 || at < 0 || at + size > length) throw new Error('content lies within the request (T9)');
    if (isCovered.subarray(at, at + size).includes(1)) throw new Error('content does not overlap (T9)');
    isCovered.fill(1, at, at + size);
    if (chunk.kind === 'data') data.set(chunk.data, at);
    else data.fill(0, at, at + size);
  }
  const covered = isCovered.indexOf(0);
  return { data, covered: covered === -1 ? length : covered };
}
