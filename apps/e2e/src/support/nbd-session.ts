import {
  ClientFlag,
  Command,
  CommandFlag,
  encodeClientFlags,
  encodeInfoRequest,
  encodeOption,
  encodeRequest,
  GREETING_BYTES,
  InfoType,
  Option,
  OPTION_REPLY_HEADER_BYTES,
  OptionReplyType,
  parseInfoExport,
  parseSimpleReply,
  REQUEST_BYTES,
  RequestHeader,
  SIMPLE_REPLY_BYTES,
  SimpleReplyHeader,
  type InfoExport,
} from '@holdfast/nbd-protocol';
import { connectTo, type ByteStream } from './byte-stream.js';
import { eventually } from './eventually.js';
import type { Holdfast } from './holdfast.js';
import type { Transport } from './ready-line.js';

/** An answered request. */
export interface Answer {
  /** An `NbdError`, or 0. */
  readonly error: number;
  readonly data: Buffer;
}

/** A client in transmission that does one request after the other: what it was answered is certain. */
export class NbdSession {
  #cookie = 0;

  private constructor(
    readonly stream: ByteStream,
    readonly info: InfoExport,
  ) {}

  /** Connects and negotiates by GO. @throws Error when the server refuses */
  static async open(
    holdfast: Holdfast,
    exportName: string,
    transport: Transport = 'tcp',
  ): Promise<NbdSession> {
    const stream = await connectTo(holdfast, transport);
    await stream.read(GREETING_BYTES);
    stream.write(
      encodeClientFlags({ clientFlags: ClientFlag.FIXED_NEWSTYLE | ClientFlag.NO_ZEROES }),
      encodeOption(Option.GO, encodeInfoRequest({ exportName, infoTypes: new Set() })),
    );
    return new NbdSession(stream, await readGoReplies(stream));
  }

  read(offset: number, length: number): Promise<Answer> {
    return this.request(Command.READ, { offset, length });
  }

  write(offset: number, payload: Uint8Array, { fua = false } = {}): Promise<Answer> {
    const flags = fua ? CommandFlag.FUA : 0;
    return this.request(Command.WRITE, { offset, length: payload.length, payload, flags });
  }

  flush(): Promise<Answer> {
    return this.request(Command.FLUSH, { offset: 0, length: 0 });
  }

  /** Sends one request and waits for its answer. @throws Error when the connection ends before */
  async request(
    type: number,
    {
      offset,
      length,
      flags = 0,
      payload,
    }: { offset: number; length: number; flags?: number; payload?: Uint8Array },
  ): Promise<Answer> {
    const header = Object.assign(new RequestHeader(), {
      type,
      flags,
      offset,
      length,
      cookieLow: ++this.#cookie,
    });
    const bytes = Buffer.alloc(REQUEST_BYTES);
    encodeRequest(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, header);
    this.stream.write(bytes, payload ?? Buffer.alloc(0));
    const reply = new SimpleReplyHeader();
    const answer = await this.stream.read(SIMPLE_REPLY_BYTES);
    const parsed = parseSimpleReply(new DataView(answer.buffer, answer.byteOffset, answer.length), 0, reply);
    if (!parsed || reply.cookieLow !== this.#cookie) throw new Error('no reply to this request');
    const dataBytes = type === Command.READ && reply.error === 0 ? length : 0;
    return { error: reply.error, data: await this.stream.read(dataBytes) };
  }

  /** Hangs up without a word. */
  hangUp(): void {
    this.stream.socket.destroy();
  }
}

/** Connects as soon as the export is served: a service that it needs is being started again. */
export async function openWhenServed(holdfast: Holdfast, exportName: string): Promise<NbdSession> {
  let refusal: unknown;
  try {
    return await eventually('a client to be served', () =>
      NbdSession.open(holdfast, exportName).catch((error: unknown) => {
        refusal = error;
        return undefined;
      }),
    );
  } catch (error) {
    throw new Error(`${String(error)}; the last time: ${String(refusal)}`, { cause: error });
  }
}

async function readGoReplies(stream: ByteStream): Promise<InfoExport> {
  let info: InfoExport | undefined;
  for (;;) {
    const header = await stream.read(OPTION_REPLY_HEADER_BYTES);
    const type = header.readUInt32BE(12);
    const data = await stream.read(header.readUInt32BE(16));
    if (type === OptionReplyType.ACK && info !== undefined) return info;
    if (type !== OptionReplyType.INFO)
      throw new Error(`refused, reply type ${type.toString(16)}: ${data.toString()}`);
    if (data.readUInt16BE(0) !== InfoType.EXPORT) continue;
    const parsed = parseInfoExport(data);
    if (parsed !== 'malformed') info = parsed;
  }
}
