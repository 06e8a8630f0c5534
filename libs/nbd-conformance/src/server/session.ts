import { Command, PAYLOAD_BYTES_MAX_DEFAULT, type ReplyMode } from '@holdfast/nbd-protocol';
import { PeerFault } from '../peer-fault.js';
import { hex } from '../wire/bytes.js';
import type { RawStream } from '../wire/raw-stream.js';
import { errorName, readReply, type Reply } from '../wire/reply.js';
import { encode, type Request } from '../wire/request.js';
import { dataOf } from './read-content.js';
import type { ExportFacts } from './export-facts.js';

/** As client and server assume when nothing was told ("Size constraints"). */
const DEFAULT_BLOCK_SIZE = { minimum: 1, preferred: 4096, maximum: PAYLOAD_BYTES_MAX_DEFAULT };

/** A connection in transmission. */
export class Session {
  readonly stream: RawStream;
  readonly mode: ReplyMode;
  readonly facts: ExportFacts;
  /** Ids of the metadata contexts that were selected, by name. */
  readonly contexts: ReadonlyMap<string, number>;
  #cookie = 0x1000_0000_0000_0000n;

  constructor(
    stream: RawStream,
    mode: ReplyMode,
    facts: ExportFacts,
    contexts: ReadonlyMap<string, number> = new Map(),
  ) {
    this.stream = stream;
    this.mode = mode;
    this.facts = facts;
    this.contexts = contexts;
  }

  get blockSize(): NonNullable<ExportFacts['blockSize']> {
    return this.facts.blockSize ?? DEFAULT_BLOCK_SIZE;
  }

  /** Whether all of these NBD_FLAG_… are set. */
  has(flags: number): boolean {
    return (this.facts.flags & flags) === flags;
  }

  send(request: Request, ...more: readonly Request[]): void {
    this.stream.send(...[request, ...more].map((one) => encode(this.mode, one)));
  }

  /** Sends one request and reads the reply to it. @throws PeerFault if what comes is no reply to it */
  async ask(request: Request): Promise<Reply> {
    this.#cookie += 1n;
    const cookie = request.cookie ?? this.#cookie;
    this.send({ ...request, cookie });
    return this.replyTo({ ...request, cookie });
  }

  /** Reads the reply to a request that was sent. */
  async replyTo({ type, cookie, length, payload }: Request): Promise<Reply> {
    const dataBytes = type === Command.READ && payload === undefined ? Number(length ?? 0) : 0;
    const reply = await readReply(this.stream, this.mode, dataBytes);
    if (cookie !== undefined && reply.cookie !== cookie) {
      throw new PeerFault(`a reply with the cookie ${hex(reply.cookie)}, not ${hex(cookie)}`);
    }
    return reply;
  }

  /** Reads data, which has to succeed. @throws PeerFault if it does not, or the chunks are not as they must be */
  async read(offset: bigint, length: number, flags = 0): Promise<Buffer> {
    const reply = await this.ask({ type: Command.READ, offset, length, flags });
    if (reply.error !== 0) throw new PeerFault(`${errorName(reply.error)} to a READ within the export`);
    return dataOf(reply, this.mode, { offset, length });
  }

  /** Whether requests are still understood, by a READ, whatever the reply says. @throws PeerFault if not */
  async expectInSync(): Promise<void> {
    await this.ask({ type: Command.READ, length: this.blockSize.minimum });
  }

  /** Leaves by DISC. */
  leave(): void {
    this.stream.end(encode(this.mode, { type: Command.DISC }));
  }

  /** Leaves without a word: nobody knows what the server would take it for. */
  close(): void {
    this.stream.close();
  }
}
