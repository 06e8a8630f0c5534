import { describe, expect, it } from 'vitest';
import { askOption, goTo, readOptionReplies } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import type { RawClient } from '../protocol/raw-client.js';
import { engines, serving } from '../protocol/serving.js';
import { Cmd, CmdFlag, Opt, Rep } from '../protocol/spec-numbers.js';
import { contextData, option, uint16, uint64 } from '../protocol/wire.js';
import { MIB } from '../support/image.js';
import { transports, type Transport } from '../support/ready-line.js';
import { makeCredentials, serveArgs } from './credentials.js';
import { byKey, connectTls } from './tls-client.js';

/** `NBD_REPLY_TYPE_…`, and `NBD_REPLY_FLAG_DONE` */
const Chunk = { NONE: 0, OFFSET_DATA: 1, BLOCK_STATUS_EXT: 6 } as const;
const DONE = 1;

const credentials = await makeCredentials('vm1');

interface Request {
  readonly type: number;
  readonly cookie: bigint;
  readonly offset: number;
  readonly length: number;
  readonly flags?: number;
  readonly payload?: Uint8Array;
}

/** `NBD_EXTENDED_REQUEST_MAGIC`, flags, type, cookie, offset, length, payload */
function extendedRequest({ type, cookie, offset, length, flags = 0, payload }: Request): Buffer {
  const magic = Buffer.from('21e41c71', 'hex');
  const numbers = [uint16(flags), uint16(type), uint64(cookie), uint64(offset), uint64(length)];
  return Buffer.concat([magic, ...numbers, payload ?? Buffer.alloc(0)]);
}

interface ExtendedReply {
  readonly flags: number;
  readonly type: number;
  readonly offset: bigint;
  readonly payload: Buffer;
}

async function readExtendedReply(client: RawClient, cookie: bigint): Promise<ExtendedReply> {
  const header = await client.read(32);
  expect([header.toString('hex', 0, 4), header.readBigUInt64BE(8)]).toEqual(['6e8a278c', cookie]);
  const payload = await client.read(Number(header.readBigUInt64BE(24)));
  return {
    flags: header.readUInt16BE(4),
    type: header.readUInt16BE(6),
    offset: header.readBigUInt64BE(16),
    payload,
  };
}

/** All chunks of one answer. */
async function readAnswer(client: RawClient, cookie: bigint): Promise<ExtendedReply[]> {
  const chunks: ExtendedReply[] = [];
  for (;;) {
    const chunk = await readExtendedReply(client, cookie);
    chunks.push(chunk);
    if ((chunk.flags & DONE) !== 0) return chunks;
  }
}

describe.each(engines)('extended headers over TLS, $engine engine', ({ engine, env }) => {
  const suite = serving({ args: serveArgs(credentials, 'per-export'), env, engine });

  async function extended(transport: Transport): Promise<RawClient> {
    const client = await connectTls(suite.holdfast, byKey(credentials), transport);
    expect((await askOption(client, option(Opt.EXTENDED_HEADERS))).type).toBe(Rep.ACK);
    client.send(option(Opt.SET_META_CONTEXT, contextData('disk.img', 'base:allocation')));
    expect((await readOptionReplies(client)).map(({ type }) => type)).toEqual([Rep.META_CONTEXT, Rep.ACK]);
    await goTo(client, 'disk.img');
    return client;
  }

  it.each(transports)('T12 carry reads, writes and the status of blocks over %s', async (transport) => {
    const client = await extended(transport);
    const payload = Buffer.alloc(MIB, transport);
    client.send(
      extendedRequest({
        type: Cmd.WRITE,
        cookie: 1n,
        offset: MIB,
        length: MIB,
        flags: CmdFlag.PAYLOAD_LEN,
        payload,
      }),
    );
    expect(await readAnswer(client, 1n)).toMatchObject([
      { flags: DONE, type: Chunk.NONE, offset: BigInt(MIB) },
    ]);

    client.send(extendedRequest({ type: Cmd.READ, cookie: 2n, offset: MIB - 512, length: MIB + 512 }));
    const read = (await readAnswer(client, 2n)).filter(({ type }) => type === Chunk.OFFSET_DATA);
    expectBytes(
      Buffer.concat(read.map((chunk) => chunk.payload.subarray(8))),
      Buffer.concat([suite.imageBytes(MIB - 512, 512), payload]),
    );

    // Longer than any payload may be.
    client.send(extendedRequest({ type: Cmd.BLOCK_STATUS, cookie: 3n, offset: 0, length: 8 * MIB }));
    const [status] = await readAnswer(client, 3n);
    expect(status).toMatchObject({ flags: DONE, type: Chunk.BLOCK_STATUS_EXT, offset: 0n });
    expect(status?.payload.readUInt32BE(4)).toBe(((status?.payload.length ?? 0) - 8) / 16);
  });
});
