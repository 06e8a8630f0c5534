import { createHash } from 'node:crypto';
import { Cmd } from '../protocol/spec-numbers.js';
import type { RawClient } from '../protocol/raw-client.js';
import type { Question, ReplyMode } from './question.js';

/** What a server says, without how it says it: chunks are put together, extents with equal flags are one. */
export type Answer =
  /** The connection ended; before, perhaps, an error was told. */
  | { readonly kind: 'closed'; readonly told?: number }
  | {
      readonly kind: 'reply';
      readonly error: number;
      /** Of a READ that succeeded. */
      readonly sha256?: string;
      /** Of a BLOCK_STATUS that succeeded. */
      readonly extents?: readonly Extent[];
    };

export interface Extent {
  readonly length: bigint;
  readonly flags: bigint;
}

/** Reads the whole answer to one question. */
export async function readAnswer(
  client: RawClient,
  mode: ReplyMode,
  question: Question,
  cookie: bigint,
): Promise<Answer> {
  try {
    return mode === 'simple'
      ? await readSimple(client, question, cookie)
      : await readChunks(client, mode, question, cookie);
  } catch (error) {
    if (client.ended) return { kind: 'closed' };
    throw error;
  }
}

async function readSimple(client: RawClient, { type, length }: Question, cookie: bigint): Promise<Answer> {
  const header = await client.read(16);
  must(header.readUInt32BE(0) === 0x67446698 && header.readBigUInt64BE(8) === cookie, 'a simple reply');
  const error = header.readUInt32BE(4);
  if (error !== 0 || type !== Cmd.READ) return { kind: 'reply', error };
  return { kind: 'reply', error, sha256: digest(await client.read(Number(length))) };
}

async function readChunks(
  client: RawClient,
  mode: ReplyMode,
  { type, offset, length }: Question,
  cookie: bigint,
): Promise<Answer> {
  const extended = mode === 'extended';
  let data: Buffer | undefined;
  let covered = 0;
  let error = 0;
  let extents: readonly Extent[] | undefined;
  for (let isLast = false; !isLast;) {
    const start = await client.read(16);
    // "The server MAY … use simple replies" for what has no data.
    if (!extended && start.readUInt32BE(0) === 0x67446698) {
      must(type !== Cmd.READ || start.readUInt32BE(4) !== 0, 'a reply in chunks to a READ');
      must(start.readBigUInt64BE(8) === cookie, 'the cookie of the request');
      return { kind: 'reply', error: start.readUInt32BE(4) };
    }
    const header = Buffer.concat([start, await client.read(extended ? 16 : 4)]);
    must(header.readUInt32BE(0) === (extended ? 0x6e8a278c : 0x668e33ef), 'a chunk');
    must(header.readBigUInt64BE(8) === cookie, 'the cookie of the request');
    if (extended) must(header.readBigUInt64BE(16) === offset, 'the offset of the request');
    isLast = (header.readUInt16BE(4) & 1) !== 0;
    const kind = header.readUInt16BE(6);
    const payload = await client.read(
      extended ? Number(header.readBigUInt64BE(24)) : header.readUInt32BE(16),
    );
    if (kind >= 0x8000) error = payload.readUInt32BE(0);
    else if (kind === 1 || kind === 2) {
      const at = Number(payload.readBigUInt64BE(0) - offset);
      data ??= Buffer.alloc(Number(length));
      if (kind === 1) payload.copy(data, at, 8);
      covered += kind === 1 ? payload.length - 8 : payload.readUInt32BE(8);
    } else if (kind === 5 || kind === 6) extents = coalesced(extentsOf(payload, extended));
    else must(kind === 0 && isLast && payload.length === 0, 'NONE at the end');
  }
  if (error !== 0) return { kind: 'reply', error };
  if (type !== Cmd.READ) return { kind: 'reply', error, ...(extents && { extents }) };
  must(covered === Number(length), 'content for the whole READ');
  return { kind: 'reply', error, sha256: digest(data ?? Buffer.alloc(0)) };
}

function extentsOf(payload: Buffer, extended: boolean): Extent[] {
  const [start, size] = extended ? [8, 16] : [4, 8];
  return Array.from({ length: (payload.length - start) / size }, (_, index) => {
    const at = start + size * index;
    return extended
      ? { length: payload.readBigUInt64BE(at), flags: payload.readBigUInt64BE(at + 8) }
      : { length: BigInt(payload.readUInt32BE(at)), flags: BigInt(payload.readUInt32BE(at + 4)) };
  });
}

/** Neighbours with equal flags as one. */
function coalesced(extents: readonly Extent[]): Extent[] {
  const merged: Extent[] = [];
  for (const { length, flags } of extents) {
    const last = merged.at(-1);
    if (last?.flags === flags) merged[merged.length - 1] = { length: last.length + length, flags };
    else merged.push({ length, flags });
  }
  return merged;
}

function digest(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function must(truth: boolean, what: string): void {
  if (!truth) throw new Error(`what the server sent is not ${what}`);
}
