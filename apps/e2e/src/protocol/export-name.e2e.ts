import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { greet, readBytes, readGoReplies } from './conversation.js';
import { serving } from './serving.js';
import { ExportFlag, Opt } from './spec-numbers.js';
import { go, option, optionHeader } from './wire.js';

const SIZE = MIB;
const suite = serving({ images: () => [makeImage(SIZE)] });

describe.each(transports)('EXPORT_NAME over %s', (transport) => {
  /** Size and flags as the specification writes them. */
  function facts(reply: Buffer): { sizeBytes: bigint; hasFlags: boolean } {
    return {
      sizeBytes: reply.readBigUInt64BE(0),
      hasFlags: (reply.readUInt16BE(8) & ExportFlag.HAS_FLAGS) !== 0,
    };
  }

  it.each(['disk.img', ''])('N3 EXPORT_NAME "%s" is answered with 10 bytes under NO_ZEROES', async (name) => {
    const client = await suite.connect(transport);
    await greet(client, 3);
    client.send(option(Opt.EXPORT_NAME, name));
    expect(facts(await client.read(10))).toEqual({ sizeBytes: BigInt(SIZE), hasFlags: true });
    expect(await readBytes(client, 0, 4096)).toEqual(suite.imageBytes(0, 4096));
  });

  it.each([0, 1])('N3 EXPORT_NAME is answered with 124 zeroes more under client flags %i', async (flags) => {
    const client = await suite.connect(transport);
    await greet(client, flags);
    client.send(option(Opt.EXPORT_NAME, 'disk.img'));
    const reply = await client.read(134);
    expect(facts(reply)).toEqual({ sizeBytes: BigInt(SIZE), hasFlags: true });
    expect(reply.subarray(10)).toEqual(Buffer.alloc(124));
    expect(await readBytes(client, 4096, 4096)).toEqual(suite.imageBytes(4096, 4096));
  });

  it.each([
    ['is unknown', 'no-such-disk'],
    ['is the beginning of one', 'disk.im'],
    ['has a NUL', 'disk.img\0'],
    ['is not UTF-8', Buffer.from([0xff, 0xfe])],
    ['looks like a path', '../disk.img'],
  ])('N3 EXPORT_NAME ends the connection without a reply when the name %s', async (_what, name) => {
    const client = await suite.connect(transport);
    await greet(client);
    client.send(option(Opt.EXPORT_NAME, name));
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
  });

  it.each([4097, 0x7fff_ffff, 0xffff_ffff])(
    'N3 EXPORT_NAME of %i bytes ends the connection before they come',
    async (length) => {
      const client = await suite.connect(transport);
      await greet(client);
      client.send(optionHeader(Opt.EXPORT_NAME, length));
      expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    },
  );

  it('N3 nothing is padded after GO, though the client has not sent NO_ZEROES', async () => {
    const client = await suite.connect(transport);
    await greet(client, 1);
    client.send(go('disk.img'));
    expect((await readGoReplies(client)).sizeBytes).toBe(SIZE);
    expect(await readBytes(client, 8192, 4096)).toEqual(suite.imageBytes(8192, 4096));
    expect(client.buffered).toBe(0);
  });
});
