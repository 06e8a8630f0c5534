import { Buffer } from 'node:buffer';
import {
  CHUNK_TYPE_ERROR_BIT,
  ChunkType,
  EXTENDED_REPLY_MAGIC,
  NbdError,
  ReplyFlag,
  SIMPLE_REPLY_MAGIC,
  STRUCTURED_REPLY_MAGIC,
  type ReplyMode,
} from '@holdfast/nbd-protocol';
import { REPLY_BYTES_MAX, REPLY_CHUNKS_MAX } from '../limits.js';
import { PeerFault } from '../peer-fault.js';
import { hex } from './bytes.js';
import type { RawStream } from './raw-stream.js';

export interface Chunk {
  readonly flags: number;
  readonly type: number;
  readonly payload: Buffer;
  /** In the header of an extended reply. */
  readonly offset: bigint | undefined;
}

/** All that came in reply to one request. */
export interface Reply {
  readonly form: ReplyMode;
  readonly cookie: bigint;
  /** 0 if there was no error; of several, the first. */
  readonly error: number;
  /** Of a simple reply to READ. */
  readonly data: Buffer;
  /** None in a simple reply. */
  readonly chunks: readonly Chunk[];
}

/**
 * Reads one reply to the end.
 *
 * @param dataBytes what follows a simple reply without an error: the length of a READ, else 0
 * @throws PeerFault if it is no reply, none of the mode, or too long
 */
export async function readReply(stream: RawStream, mode: ReplyMode, dataBytes: number): Promise<Reply> {
  const magic = (await stream.read(4)).readUInt32BE();
  switch (magic) {
    case SIMPLE_REPLY_MAGIC: {
      const rest = await stream.read(12);
      const error = rest.readUInt32BE(0);
      if (mode === 'simple' && error === 0 && dataBytes > REPLY_BYTES_MAX) {
        throw new PeerFault(`success to a READ of ${dataBytes} bytes`);
      }
      // In other modes a simple reply has no data, whatever it is a reply to.
      const data = mode === 'simple' && error === 0 ? await stream.read(dataBytes) : Buffer.alloc(0);
      return { form: 'simple', cookie: rest.readBigUInt64BE(4), error, data, chunks: [] };
    }
    case STRUCTURED_REPLY_MAGIC:
    case EXTENDED_REPLY_MAGIC: {
      const form = magic === EXTENDED_REPLY_MAGIC ? 'extended' : 'structured';
      if (form !== mode) throw new PeerFault(`a chunk of the ${form} form (${hex(magic)})`);
      return readChunks(stream, form);
    }
    default:
      throw new PeerFault(`${hex(magic)} in place of a reply`);
  }
}

async function readChunks(stream: RawStream, form: ReplyMode): Promise<Reply> {
  const chunks: Chunk[] = [];
  let cookie: bigint | undefined;
  let error = 0;
  let totalBytes = 0;
  while (chunks.length < REPLY_CHUNKS_MAX) {
    if (chunks.length > 0) await expectMagic(stream, form);
    const header = await stream.read(form === 'extended' ? 28 : 16);
    const length = form === 'extended' ? header.readBigUInt64BE(20) : BigInt(header.readUInt32BE(12));
    if (length > BigInt(REPLY_BYTES_MAX - totalBytes)) {
      throw new PeerFault(`a reply that announces ${length} bytes more, after ${totalBytes}`);
    }
    totalBytes += Number(length);
    const chunk: Chunk = {
      flags: header.readUInt16BE(0),
      type: header.readUInt16BE(2),
      payload: await stream.read(Number(length)),
      offset: form === 'extended' ? header.readBigUInt64BE(12) : undefined,
    };
    if (cookie !== undefined && cookie !== header.readBigUInt64BE(4)) {
      throw new PeerFault('a chunk with another cookie, though one request only was in flight');
    }
    cookie = header.readBigUInt64BE(4);
    chunks.push(chunk);
    if (error === 0) error = errorIn(chunk);
    if ((chunk.flags & ReplyFlag.DONE) !== 0) return { form, cookie, error, data: Buffer.alloc(0), chunks };
  }
  throw new PeerFault(`more than ${REPLY_CHUNKS_MAX} chunks in one reply`);
}

/** One request only is in flight, so what follows a chunk without DONE is a chunk of the same reply. */
async function expectMagic(stream: RawStream, form: ReplyMode): Promise<void> {
  const magic = (await stream.read(4)).readUInt32BE();
  const expected = form === 'extended' ? EXTENDED_REPLY_MAGIC : STRUCTURED_REPLY_MAGIC;
  if (magic !== expected) throw new PeerFault(`${hex(magic)} behind a chunk without DONE`);
}

/** The error that a chunk tells, 0 if it is none. */
function errorIn({ type, payload }: Chunk): number {
  if ((type & CHUNK_TYPE_ERROR_BIT) === 0) return 0;
  const fixed = type === ChunkType.ERROR_OFFSET ? 14 : 6;
  if (payload.length < fixed) throw new PeerFault(`an error chunk of ${payload.length} bytes`);
  const error = payload.readUInt32BE(0);
  if (error === 0) throw new PeerFault('an error chunk with error 0');
  if (payload.readUInt16BE(4) > payload.length - fixed) throw new PeerFault('an error text beyond its chunk');
  return error;
}

/** The name of an error as the specification has it. */
export function errorName(error: number): string {
  if (error === 0) return 'success';
  const name = Object.entries(NbdError).find(([, value]) => value === error)?.[0];
  return name === undefined ? `error ${error}` : `NBD_${name}`;
}

/** @returns what came, undefined if it is one of the errors expected; 0 is success */
export function unlessError({ error }: Reply, ...expected: readonly number[]): string | undefined {
  return expected.includes(error) ? undefined : errorName(error);
}
