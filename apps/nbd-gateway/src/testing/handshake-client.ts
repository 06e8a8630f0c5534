import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import {
  ClientFlag,
  encodeClientFlags,
  encodeOption,
  Option,
  parseOptionReply,
  type OptionReply,
} from '@holdfast/nbd-protocol';
import { onTestFinished } from 'vitest';
import { connectByPsk } from './psk-upgrade.js';

const GREETING_BYTES = 18;
const REPLY_BYTES_MAX = 1 << 20;

/** A client in the handshake, which says what it is told to. */
export class HandshakeClient {
  readonly #chunks: AsyncIterator<Buffer>;
  #input: Buffer = Buffer.alloc(0);

  private constructor(readonly socket: Socket) {
    this.#chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** Connected, greeted, and its flags sent. */
  static async connect(where: NetConnectOpts): Promise<HandshakeClient> {
    const client = await HandshakeClient.open(where);
    await client.take(GREETING_BYTES);
    const clientFlags = ClientFlag.FIXED_NEWSTYLE | ClientFlag.NO_ZEROES;
    client.socket.write(encodeClientFlags({ clientFlags }));
    return client;
  }

  /** Connected, and nothing else. */
  static async open(where: NetConnectOpts): Promise<HandshakeClient> {
    const socket = connect(where);
    socket.on('error', () => undefined);
    onTestFinished(() => {
      socket.destroy();
    });
    await once(socket, 'connect');
    return new HandshakeClient(socket);
  }

  /** Asks for TLS and begins it. @returns the client inside it */
  async startTls(): Promise<HandshakeClient> {
    await this.ask(Option.STARTTLS);
    return this.secured();
  }

  /** Begins TLS, whatever the server thinks of it. */
  async secured(): Promise<HandshakeClient> {
    await this.#chunks.return?.();
    const secure = connectByPsk(this.socket);
    secure.on('error', () => undefined);
    await once(secure, 'secureConnect');
    return new HandshakeClient(secure);
  }

  /** Sends an option and reads its replies, up to the one that ends them: an ACK or an error. */
  async ask(option: number, data?: Uint8Array): Promise<OptionReply[]> {
    this.socket.write(encodeOption(option, data));
    const replies: OptionReply[] = [];
    for (;;) {
      const reply = await this.#reply();
      replies.push(reply);
      if (reply.type === 1 || reply.type >= 2 ** 31) return replies;
    }
  }

  /** The last reply to GO or INFO for an export: its type, and its text if it is an error. */
  async request(option: number, exportName: string): Promise<{ type: number; text: string }> {
    const last = (await this.ask(option, infoRequest(exportName))).at(-1);
    return { type: last?.type ?? 0, text: Buffer.from(last?.data ?? []).toString() };
  }

  go(exportName: string): Promise<{ type: number; text: string }> {
    return this.request(Option.GO, exportName);
  }

  /** `length` bytes, or fewer if the connection ends. */
  async take(length: number): Promise<Buffer> {
    while (this.#input.length < length && (await this.#more()));
    const taken = this.#input.subarray(0, length);
    this.#input = this.#input.subarray(length);
    return taken;
  }

  /** Whether the server has closed the connection without another byte. */
  async isOver(): Promise<boolean> {
    return (await this.take(1)).length === 0;
  }

  async #reply(): Promise<OptionReply> {
    for (;;) {
      const reply = parseOptionReply(this.#input, REPLY_BYTES_MAX);
      if (typeof reply === 'object') {
        const owned = { ...reply, data: Buffer.from(reply.data) };
        this.#input = this.#input.subarray(20 + reply.data.length);
        return owned;
      }
      if (reply !== 'incomplete' || !(await this.#more())) throw new Error(`no option reply: ${reply}`);
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next().catch(() => ({ done: true }) as const);
    if (next.done === true) return false;
    this.#input = Buffer.concat([this.#input, next.value]);
    return true;
  }
}

/** Data of INFO and GO: the name, and no wish for more information. */
export function infoRequest(exportName: string): Buffer {
  const name = Buffer.from(exportName);
  const data = Buffer.alloc(4 + name.length + 2);
  data.writeUInt32BE(name.length);
  data.set(name, 4);
  return data;
}
