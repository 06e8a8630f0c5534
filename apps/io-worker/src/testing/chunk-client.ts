import {
  ChunkHeader,
  ChunkType,
  Command,
  CommandFlag,
  encodeExtendedRequest,
  EXTENDED_REPLY_BYTES,
  EXTENDED_REQUEST_BYTES,
  parseBlockStatus,
  parseBlockStatusExt,
  parseErrorChunk,
  parseErrorOffsetChunk,
  parseExtendedReply,
  parseOffsetData,
  parseOffsetHole,
  parseStructuredReply,
  ReplyFlag,
  type ReplyMode,
  RequestHeader,
  STRUCTURED_REPLY_BYTES,
} from '@holdfast/nbd-protocol';
import { requestBytes, type NbdClient, type Request } from './nbd-client.js';

/** Extents as a test compares them: `[length, flags]`. */
export type Extents = readonly (readonly [number, number])[];

export interface ChunkedReply {
  /** 0 if there is none. */
  readonly error: number;
  readonly message: string;
  /** Where on the export the error is; undefined if it does not say. */
  readonly errorOffset: number | undefined;
  /** Content chunks in order, as `data 0+512` and `hole 512+512`. */
  readonly content: readonly string[];
  /** The content put together, from the request's offset on. */
  readonly data: Buffer;
  /** Block status by context id. */
  readonly status: ReadonlyMap<number, Extents>;
}

type Draft = { -readonly [Key in keyof ChunkedReply]: ChunkedReply[Key] } & {
  content: string[];
  status: Map<number, Extents>;
};

/** A client whose replies come in chunks, at the other end of a session's socket. */
export class ChunkClient {
  readonly client: NbdClient;
  readonly #replyMode: ReplyMode;

  constructor(client: NbdClient, replyMode: ReplyMode) {
    this.client = client;
    this.#replyMode = replyMode;
  }

  async ask(request: Request): Promise<ChunkedReply> {
    this.client.socket.write(this.#bytesOf(request));
    return this.reply(request);
  }

  /** The bytes of a request; with extended headers a payload has its flag. */
  #bytesOf(request: Request): Buffer {
    if (this.#replyMode !== 'extended') return requestBytes(request);
    const header = new RequestHeader();
    const { type, payload, offset = 0, length = payload?.length ?? 0 } = request;
    const flags = (request.flags ?? 0) | (payload === undefined ? 0 : CommandFlag.PAYLOAD_LEN);
    Object.assign(header, { type, flags, offset, length });
    const bytes = Buffer.alloc(EXTENDED_REQUEST_BYTES + (payload?.length ?? 0));
    encodeExtendedRequest(new DataView(bytes.buffer, bytes.byteOffset), 0, header);
    bytes.set(payload ?? [], EXTENDED_REQUEST_BYTES);
    return bytes;
  }

  /** The next reply, to `request`. */
  async reply({ type, offset = 0, length = 0 }: Request): Promise<ChunkedReply> {
    const draft: Draft = {
      error: 0,
      message: '',
      errorOffset: undefined,
      content: [],
      data: Buffer.alloc(type === Command.READ ? length : 0, 0xee),
      status: new Map(),
    };
    for (;;) {
      const header = await this.#header();
      add(draft, header.type, await this.client.take(header.length), offset);
      if ((header.flags & ReplyFlag.DONE) !== 0) return draft;
    }
  }

  async #header(): Promise<ChunkHeader> {
    const extended = this.#replyMode === 'extended';
    const bytes = await this.client.take(extended ? EXTENDED_REPLY_BYTES : STRUCTURED_REPLY_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const header = new ChunkHeader();
    const isChunk = (extended ? parseExtendedReply : parseStructuredReply)(view, 0, header);
    if (!isChunk) throw new Error(`no chunk begins with ${bytes.toString('hex')}`);
    return header;
  }
}

function add(draft: Draft, type: number, payload: Buffer, offset: number): void {
  switch (type) {
    case ChunkType.NONE:
      break;
    case ChunkType.OFFSET_DATA: {
      const chunk = sound(parseOffsetData(payload));
      draft.content.push(`data ${String(chunk.offset)}+${String(chunk.data.length)}`);
      draft.data.set(chunk.data, Number(chunk.offset) - offset);
      break;
    }
    case ChunkType.OFFSET_HOLE: {
      const { offset: at, holeSize } = sound(parseOffsetHole(payload));
      draft.content.push(`hole ${String(at)}+${String(holeSize)}`);
      draft.data.fill(0, Number(at) - offset, Number(at + holeSize) - offset);
      break;
    }
    case ChunkType.BLOCK_STATUS: {
      const { contextId, descriptors } = sound(parseBlockStatus(payload));
      draft.status.set(contextId, pairs(descriptors));
      break;
    }
    case ChunkType.BLOCK_STATUS_EXT: {
      const { contextId, descriptors } = sound(parseBlockStatusExt(payload));
      draft.status.set(contextId, pairs(descriptors));
      break;
    }
    case ChunkType.ERROR:
      Object.assign(draft, sound(parseErrorChunk(payload)));
      break;
    case ChunkType.ERROR_OFFSET: {
      const { error, message, offset: at } = sound(parseErrorOffsetChunk(payload));
      Object.assign(draft, { error, message, errorOffset: Number(at) });
      break;
    }
    default:
      throw new Error(`unknown chunk type ${String(type)}`);
  }
}

function sound<Chunk>(chunk: Chunk | 'malformed'): Chunk {
  if (chunk === 'malformed') throw new Error('a chunk is malformed');
  return chunk;
}

function pairs(descriptors: Uint32Array | BigUint64Array): Extents {
  const values = Array.from(descriptors, Number);
  return Array.from({ length: values.length / 2 }, (_, index) => {
    const [length = 0, flags = 0] = values.slice(2 * index, 2 * index + 2);
    return [length, flags] as const;
  });
}
