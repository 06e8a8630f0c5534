import { Socket } from 'node:net';
import type { OwnedFd } from '@holdfast/linux';
import {
  Command,
  encodeRequest,
  parseSimpleReply,
  REQUEST_BYTES,
  RequestHeader,
  SIMPLE_REPLY_BYTES,
  SimpleReplyHeader,
} from '@holdfast/nbd-protocol';

export interface Request {
  readonly type: number;
  readonly offset?: number;
  readonly length?: number;
  readonly flags?: number;
  readonly payload?: Uint8Array;
  readonly cookie?: bigint;
}

export interface Reply {
  readonly error: number;
  readonly cookie: bigint;
  /** Of a READ that succeeded, else empty. */
  readonly data: Buffer;
}

/** The bytes of one request. */
export function requestBytes({ type, payload, cookie = 0n, ...rest }: Request): Buffer {
  const header = new RequestHeader();
  Object.assign(header, { type, ...rest, length: rest.length ?? payload?.length ?? 0 });
  header.cookieHigh = Number(BigInt.asIntN(32, cookie >> 32n));
  header.cookieLow = Number(BigInt.asIntN(32, cookie));
  const bytes = Buffer.alloc(REQUEST_BYTES + (payload?.length ?? 0));
  encodeRequest(new DataView(bytes.buffer, bytes.byteOffset), 0, header);
  bytes.set(payload ?? [], REQUEST_BYTES);
  return bytes;
}

/** A client in the transmission phase, at the other end of a session's socket. */
export class NbdClient {
  readonly socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  /** READs that were sent, by cookie: their replies carry this many bytes. */
  readonly #reads = new Map<bigint, number>();
  #cookies = 0x1122334400000000n;
  #input: Buffer = Buffer.alloc(0);

  /** Takes `fd` over. */
  constructor(fd: OwnedFd) {
    this.socket = new Socket({ fd: fd.release(), readable: true, writable: true, allowHalfOpen: true });
    this.socket.on('error', () => undefined);
    this.#chunks = this.socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** The bytes of a request whose reply {@link reply} will understand. */
  prepare(request: Request): Buffer {
    const cookie = request.cookie ?? this.#cookies++;
    if (request.type === Command.READ) this.#reads.set(cookie, request.length ?? 0);
    return requestBytes({ ...request, cookie });
  }

  send(...requests: Request[]): void {
    this.socket.write(Buffer.concat(requests.map((request) => this.prepare(request))));
  }

  async ask(request: Request): Promise<Reply> {
    this.send(request);
    return this.reply();
  }

  async reply(): Promise<Reply> {
    const bytes = await this.take(SIMPLE_REPLY_BYTES);
    const header = new SimpleReplyHeader();
    const isReply = parseSimpleReply(new DataView(bytes.buffer, bytes.byteOffset), 0, header);
    if (!isReply) throw new Error(`no reply begins with ${bytes.toString('hex')}`);
    const { error, cookieHigh, cookieLow } = header;
    const cookie = (BigInt.asUintN(32, BigInt(cookieHigh)) << 32n) | BigInt.asUintN(32, BigInt(cookieLow));
    const length = error === 0 ? (this.#reads.get(cookie) ?? 0) : 0;
    this.#reads.delete(cookie);
    return { error, cookie, data: await this.take(length) };
  }

  /** Whether the server has closed the connection, with nothing more to read. */
  async isOver(): Promise<boolean> {
    if (this.#input.length > 0) return false;
    const next = await this.#chunks.next().catch(() => ({ done: true }) as const);
    return next.done === true;
  }

  hangUp(): void {
    this.socket.destroy();
  }

  /** The next bytes of the stream, all of them. */
  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = [this.#input];
    let available = this.#input.length;
    while (available < length) {
      const next = await this.#chunks.next();
      if (next.done === true)
        throw new Error(`the connection ended ${String(length - available)} bytes early`);
      parts.push(next.value);
      available += next.value.length;
    }
    const all = Buffer.concat(parts);
    this.#input = all.subarray(length);
    return all.subarray(0, length);
  }
}
