import {
  CHUNK_TYPE_ERROR_BIT,
  ChunkType,
  OFFSET_DATA_START_BYTES,
  OFFSET_HOLE_BYTES,
  OFFSET_HOLE_EXT_BYTES,
  parseErrorChunk,
  parseErrorOffsetChunk,
  parseOffsetHole,
  parseOffsetHoleExt,
  type ReplyMode,
} from '@holdfast/nbd-protocol';
import { NbdProtocolError } from '../errors/protocol-error.js';
import { ERROR_CHUNK_BYTES_MAX } from '../limits.js';
import type { OpenMessage } from './reply-state.js';
import type { ContentTaker, IncomingReply, StatusTaker } from './replies/incoming-reply.js';

/** Section "Structured reply types": error and length of the text, which every error chunk begins with. */
const ERROR_CHUNK_BYTES_MIN = 6;

/**
 * Decides by the header alone whether a chunk may come, before memory is taken for its payload (T19, B6).
 *
 * @throws NbdProtocolError if it may not
 */
export function admitChunk({ reply, type, length, isLast }: OpenMessage, mode: ReplyMode): void {
  switch (type) {
    case ChunkType.NONE:
      if (length !== 0) throw new NbdProtocolError('malformed-chunk', 'NONE with a payload');
      if (!isLast) throw new NbdProtocolError('none-without-done');
      return;
    case ChunkType.OFFSET_DATA:
      contentOf(reply).admitContent();
      if (length <= OFFSET_DATA_START_BYTES) throw malformedLength('OFFSET_DATA', length);
      return;
    case ChunkType.OFFSET_HOLE:
      contentOf(reply).admitContent();
      if (length !== OFFSET_HOLE_BYTES) throw malformedLength('OFFSET_HOLE', length);
      return;
    case ChunkType.OFFSET_HOLE_EXT:
      if (mode !== 'extended') throw new NbdProtocolError('unexpected-chunk', 'OFFSET_HOLE_EXT');
      contentOf(reply).admitContent();
      if (length !== OFFSET_HOLE_EXT_BYTES) throw malformedLength('OFFSET_HOLE_EXT', length);
      return;
    case ChunkType.BLOCK_STATUS:
    case ChunkType.BLOCK_STATUS_EXT:
      statusOf(reply).admitStatus(type, length);
      return;
    default:
      // "If the client receives an unknown or unexpected type, other than an error chunk, it MUST initiate a hard disconnect."
      if ((type & CHUNK_TYPE_ERROR_BIT) === 0) {
        throw new NbdProtocolError('unknown-chunk', `type ${String(type)}`);
      }
      if (length < ERROR_CHUNK_BYTES_MIN || length > ERROR_CHUNK_BYTES_MAX)
        throw malformedLength('error', length);
  }
}

/** Reads a whole payload, lent for the call, of a chunk that was admitted; OFFSET_DATA is read otherwise. */
export function takePayload({ reply, type }: OpenMessage, payload: Uint8Array): void {
  switch (type) {
    case ChunkType.OFFSET_HOLE:
    case ChunkType.OFFSET_HOLE_EXT: {
      const hole = (type === ChunkType.OFFSET_HOLE ? parseOffsetHole : parseOffsetHoleExt)(payload);
      if (hole === 'malformed') throw new NbdProtocolError('malformed-chunk', 'a hole of no bytes');
      contentOf(reply).addHole(hole.offset, hole.holeSize);
      return;
    }
    case ChunkType.BLOCK_STATUS:
    case ChunkType.BLOCK_STATUS_EXT:
      statusOf(reply).addStatus(payload);
      return;
    case ChunkType.ERROR_OFFSET: {
      const fault = parseErrorOffsetChunk(payload);
      if (fault === 'malformed') throw new NbdProtocolError('malformed-chunk', 'ERROR_OFFSET');
      reply.addFault(fault);
      return;
    }
    default: {
      // Of an error that is not known, the start is: "it MUST consider the current reply as errored".
      const fault = parseErrorChunk(payload);
      if (fault === 'malformed') throw new NbdProtocolError('malformed-chunk', 'error');
      reply.addFault({ ...fault, offset: undefined });
    }
  }
}

/** @throws NbdProtocolError if the request has no content */
export function contentOf({ asked, content }: IncomingReply): ContentTaker {
  if (content === undefined)
    throw new NbdProtocolError('unexpected-chunk', `data in answer to ${asked.command}`);
  return content;
}

function statusOf({ asked, status }: IncomingReply): StatusTaker {
  if (status === undefined) {
    throw new NbdProtocolError('unexpected-chunk', `block status in answer to ${asked.command}`);
  }
  return status;
}

function malformedLength(chunk: string, length: number): NbdProtocolError {
  return new NbdProtocolError('malformed-chunk', `${chunk} of ${String(length)} bytes`);
}
