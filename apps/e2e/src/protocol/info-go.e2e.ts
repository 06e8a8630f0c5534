import { gatewayV1 } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { ask } from '../support/instance-facts.js';
import { transports } from '../support/ready-line.js';
import { askOption, greet, readBytes, readOptionReplies } from './conversation.js';
import { serving } from './serving.js';
import { ExportFlag, Info, Opt, Rep } from './spec-numbers.js';
import { go, infoData, infoExport, option, optionReply, uint16, uint32 } from './wire.js';

const SIZE = 3 * MIB + 512;
const suite = serving({ images: () => [makeImage(SIZE)] });
const FLAGS =
  ExportFlag.HAS_FLAGS |
  ExportFlag.SEND_FLUSH |
  ExportFlag.SEND_FUA |
  ExportFlag.SEND_TRIM |
  ExportFlag.SEND_WRITE_ZEROES |
  ExportFlag.CAN_MULTI_CONN |
  ExportFlag.SEND_CACHE |
  ExportFlag.SEND_FAST_ZERO;
/** Of an export that may be written to only. */
const WRITE_FLAGS = ExportFlag.SEND_TRIM | ExportFlag.SEND_WRITE_ZEROES | ExportFlag.SEND_FAST_ZERO;

const info = (name: string, ...types: number[]) => option(Opt.INFO, infoData(name, ...types));

describe.each(transports)('INFO and GO over %s', (transport) => {
  it.each([Opt.INFO, Opt.GO])('N5 option %i tells what it was asked, byte for byte', async (code) => {
    const client = await suite.connect(transport);
    await greet(client);
    client.send(
      option(code, infoData('disk.img', Info.BLOCK_SIZE, Info.NAME, Info.DESCRIPTION, Info.EXPORT)),
    );
    const expected = Buffer.concat([
      optionReply(code, Rep.INFO, infoExport(SIZE, FLAGS)),
      optionReply(code, Rep.INFO, Buffer.concat([uint16(Info.NAME), Buffer.from('disk.img')])),
      optionReply(
        code,
        Rep.INFO,
        Buffer.concat([uint16(Info.BLOCK_SIZE), uint32(1), uint32(4096), uint32(32 * MIB)]),
      ),
      optionReply(code, Rep.ACK),
    ]);
    expect(await client.read(expected.length)).toEqual(expected);
    expect(client.buffered).toBe(0);
  });

  it('N5 information of unknown types is not answered, and no error', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    client.send(info('disk.img', 4, 5, 0x1234, 0xffff, Info.NAME, Info.NAME));
    const replies = await readOptionReplies(client);
    expect(replies.map(({ type, data }) => [type, data.length > 0 ? data.readUInt16BE(0) : -1])).toEqual([
      [Rep.INFO, Info.EXPORT],
      [Rep.INFO, Info.NAME],
      [Rep.ACK, -1],
    ]);
  });

  it('N5 INFO, then GO with the same data, tell the same; GO then serves', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    const data = infoData('', Info.BLOCK_SIZE, Info.NAME);
    client.send(option(Opt.INFO, data));
    const told = await readOptionReplies(client);
    client.send(option(Opt.GO, data));
    const granted = await readOptionReplies(client);
    expect(granted).toEqual(told.map((reply) => ({ ...reply, option: Opt.GO })));
    expect(await readBytes(client, 0, 512)).toEqual(suite.imageBytes(0, 512));
  });

  const name = Buffer.from('disk.img');
  const malformed: [string, Buffer, number][] = [
    ['has no room for its name', Buffer.concat([uint32(9), name, uint16(0)]), Rep.ERR_INVALID],
    ['claims a name of 2^32-1 bytes', Buffer.concat([uint32(0xffff_ffff), name, uint16(0)]), Rep.ERR_INVALID],
    ['claims a name of 2^31 bytes', Buffer.concat([uint32(0x8000_0000), name, uint16(0)]), Rep.ERR_INVALID],
    ['claims more requests than it has', Buffer.concat([infoData(name), uint16(3)]), Rep.ERR_INVALID],
    [
      'has fewer requests than it claims',
      Buffer.concat([uint32(8), name, uint16(2), uint16(0)]),
      Rep.ERR_INVALID,
    ],
    ['is empty', Buffer.alloc(0), Rep.ERR_INVALID],
    ['ends within the length', Buffer.alloc(3), Rep.ERR_INVALID],
    ['has a name with NUL', infoData('disk\0img'), Rep.ERR_INVALID],
    ['has a name that is not UTF-8', infoData(Buffer.from([0xc3])), Rep.ERR_INVALID],
    ['has a name of 4097 bytes', infoData('x'.repeat(4097)), Rep.ERR_TOO_BIG],
    ['is longer than any can be', infoData('x'.repeat(60_000)), Rep.ERR_TOO_BIG],
    ['names what is not there', infoData('nothing'), Rep.ERR_UNKNOWN],
  ];

  it.each(malformed)(
    'N5 INFO and GO are refused, and in sync, when the data %s',
    async (_what, data, error) => {
      const client = await suite.connect(transport);
      await greet(client);
      for (const code of [Opt.INFO, Opt.GO]) {
        const reply = await askOption(client, option(code, data));
        expect([reply.option, reply.type]).toEqual([code, error]);
      }
      client.send(go('disk.img'));
      expect((await readOptionReplies(client)).at(-1)?.type).toBe(Rep.ACK);
      expect(await readBytes(client, 0, 512)).toEqual(suite.imageBytes(0, 512));
    },
  );

  it('N5 the export is resolved afresh at every option', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    const { gatewaySocket } = suite.holdfast.layout;
    const exports = gatewayV1.ExportServiceService;
    expect((await askOption(client, info('later'))).type).toBe(Rep.ERR_UNKNOWN);
    await ask(exports, gatewaySocket, (service) =>
      service.createExport({
        exportId: 'later',
        export: gatewayV1.Export.fromPartial({ device: 'devices/disk.img', readOnly: true }),
      }),
    );
    client.send(info('later'));
    expect((await readOptionReplies(client))[0]?.data.readUInt16BE(10)).toBe(
      (FLAGS & ~WRITE_FLAGS) | ExportFlag.READ_ONLY,
    );
    // Two exports: there is no default any more.
    expect((await askOption(client, info(''))).type).toBe(Rep.ERR_UNKNOWN);
    await ask(exports, gatewaySocket, (service) => service.deleteExport({ name: 'exports/later' }));
    expect((await askOption(client, go('later'))).type).toBe(Rep.ERR_UNKNOWN);
    expect((await askOption(client, go(''))).type).toBe(Rep.ACK);
  });
});
