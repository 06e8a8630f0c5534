import { expect } from 'vitest';
import type { RawClient } from './raw-client.js';

/** What a reply in chunks came to. */
export interface ChunkedReply {
  readonly error: number;
  readonly data: Buffer;
}

interface Chunk {
  readonly isLast: boolean;
  readonly type: number;
  readonly payload: Buffer;
}

const NONE = 0;
const OFFSET_DATA = 1;
const OFFSET_HOLE = 2;
const ERROR_BIT = 0x8000;

/**
 * Reads a reply of structured or extended form, which has to be well-formed: DONE on the last chunk and no other, content
 * that is contiguous and neither too much nor too little (T8, T9).
 *
 * @param dataBytes what a READ asked for; it is not looked at when there is an error
 */
export async function readChunkedReply(
  client: RawClient,
  cookie: bigint,
  dataBytes: number,
): Promise<ChunkedReply> {
  const pieces: { readonly at: bigint; readonly bytes: Buffer }[] = [];
  let error = 0;
  for (let isLast = false; !isLast;) {
    const chunk = await readChunk(client, cookie);
    ({ isLast } = chunk);
    const { type, payload } = chunk;
    if ((type & ERROR_BIT) !== 0) error = payload.readUInt32BE(0);
    else if (type === OFFSET_DATA)
      pieces.push({ at: payload.readBigUInt64BE(0), bytes: payload.subarray(8) });
    else if (type === OFFSET_HOLE) {
      pieces.push({ at: payload.readBigUInt64BE(0), bytes: Buffer.alloc(payload.readUInt32BE(8)) });
    } else expect([type, payload.length, isLast]).toEqual([NONE, 0, true]);
  }
  if (error !== 0) return { error, data: Buffer.alloc(0) };
  pieces.sort((one, other) => Number(one.at - other.at));
  for (const [index, { at, bytes }] of pieces.entries()) {
    const next = pieces[index + 1];
    if (next !== undefined) expect(next.at).toBe(at + BigInt(bytes.length));
  }
  const data = Buffer.concat(pieces.map(({ bytes }) => bytes));
  expect(data.length).toBe(dataBytes);
  return { error, data };
}

async function readChunk(client: RawClient, cookie: bigint): Promise<Chunk> {
  const isExtended = client.mode === 'extended';
  const header = await client.read(isExtended ? 32 : 20);
  const magic = isExtended ? '6e8a278c' : '668e33ef';
  expect([header.toString('hex', 0, 4), header.readBigUInt64BE(8)]).toEqual([magic, cookie]);
  const length = isExtended ? Number(header.readBigUInt64BE(24)) : header.readUInt32BE(16);
  return {
    isLast: (header.readUInt16BE(4) & 1) !== 0,
    type: header.readUInt16BE(6),
    payload: await client.read(length),
  };
}
