import { expect } from 'vitest';
import type { RawClient } from './raw-client.js';
import { readChunkedReply } from './chunked-reply.js';
import { modeOption, type ReplyMode } from './reply-modes.js';
import { Cmd, Info, Opt, Rep } from './spec-numbers.js';
import { clientFlags, go, GREETING, option, requestIn, type RequestFields } from './wire.js';

export interface OptionReply {
  readonly option: number;
  readonly type: number;
  readonly data: Buffer;
}

/** What GO tells of an export. */
export interface ExportFacts {
  readonly sizeBytes: number;
  readonly flags: number;
}

export interface Answer {
  readonly error: number;
  readonly data: Buffer;
}

/** Reads the greeting and answers it with client flags. */
export async function greet(client: RawClient, flags = 3): Promise<void> {
  expect(await client.read(GREETING.length)).toEqual(GREETING);
  client.send(clientFlags(flags));
}

export async function readOptionReply(client: RawClient): Promise<OptionReply> {
  const header = await client.read(20);
  expect(header.toString('hex', 0, 8)).toBe('0003e889045565a9');
  const data = await client.read(header.readUInt32BE(16));
  return { option: header.readUInt32BE(8), type: header.readUInt32BE(12), data };
}

/** All replies to one option: up to the ACK, or the error. */
export async function readOptionReplies(client: RawClient): Promise<OptionReply[]> {
  const replies: OptionReply[] = [];
  for (;;) {
    const reply = await readOptionReply(client);
    replies.push(reply);
    if (reply.type === Rep.ACK || reply.type >= 0x8000_0000) return replies;
  }
}

/** Sends one option and reads all replies to it. @returns the last, which decides */
export async function askOption(client: RawClient, option: Uint8Array): Promise<OptionReply> {
  client.send(option);
  const last = (await readOptionReplies(client)).at(-1);
  if (last === undefined) throw new Error('no reply');
  return last;
}

/** From the greeting through GO into transmission. */
export async function enter(
  client: RawClient,
  exportName = '',
  mode: ReplyMode = 'simple',
): Promise<ExportFacts> {
  await greet(client);
  const wanted = modeOption[mode];
  if (wanted !== undefined) expect((await askOption(client, option(wanted))).type).toBe(Rep.ACK);
  client.mode = mode;
  return await goTo(client, exportName);
}

/** By GO into transmission. */
export async function goTo(client: RawClient, exportName = ''): Promise<ExportFacts> {
  client.send(go(exportName));
  return await readGoReplies(client);
}

/** The replies to a GO that is granted. */
export async function readGoReplies(client: RawClient): Promise<ExportFacts> {
  const replies = await readOptionReplies(client);
  expect(replies.map(({ option, type }) => [option, type])).toEqual([
    [Opt.GO, Rep.INFO],
    [Opt.GO, Rep.ACK],
  ]);
  const data = replies[0]?.data ?? Buffer.alloc(0);
  expect([data.length, data.readUInt16BE(0)]).toEqual([12, Info.EXPORT]);
  return { sizeBytes: Number(data.readBigUInt64BE(2)), flags: data.readUInt16BE(10) };
}

/** Reads one reply of the client's mode, with data unless it is an error. */
export async function readReply(client: RawClient, cookie: bigint, dataBytes = 0): Promise<Answer> {
  if (client.mode !== 'simple') return readChunkedReply(client, cookie, dataBytes);
  const header = await client.read(16);
  expect([header.toString('hex', 0, 4), header.readBigUInt64BE(8)]).toEqual(['67446698', cookie]);
  const error = header.readUInt32BE(4);
  return { error, data: await client.read(error === 0 ? dataBytes : 0) };
}

/** Sends requests in one piece, as they look in the client's mode. */
export function send(client: RawClient, ...requests: readonly RequestFields[]): void {
  client.send(...requests.map((fields) => requestIn(client.mode, fields)));
}

/** Sends one request and reads its reply. */
export async function ask(client: RawClient, fields: RequestFields): Promise<Answer> {
  const cookie = fields.cookie ?? 0x0123_4567_89ab_cdefn;
  send(client, { ...fields, cookie });
  return await readReply(client, cookie, fields.type === Cmd.READ ? fields.length : 0);
}

/** The error that one request is answered with, 0 for none. */
export async function errorOf(client: RawClient, fields: RequestFields): Promise<number> {
  return (await ask(client, fields)).error;
}

/** Reads as much as `length` bytes from `offset`, which has to succeed. */
export async function readBytes(client: RawClient, offset: number, length: number): Promise<Buffer> {
  const { error, data } = await ask(client, { type: Cmd.READ, offset, length });
  expect(error).toBe(0);
  return data;
}
