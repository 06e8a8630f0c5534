import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { transports } from '../support/ready-line.js';
import { askOption, greet, readBytes } from './conversation.js';
import { timesHit } from './limits-hit.js';
import { serving } from './serving.js';
import { Opt, Rep } from './spec-numbers.js';
import { infoData, option, optionHeader } from './wire.js';

const suite = serving();

describe.each(transports)('the bounds of a handshake over %s', (transport) => {
  it('N10 32 options are answered, the 33rd ends the connection and is counted', async () => {
    const before = await timesHit(suite, 'options-limit');
    const client = await suite.connect(transport);
    await greet(client);
    for (let count = 0; count < 32; count++) {
      expect((await askOption(client, option(Opt.INFO, infoData('none')))).type).toBe(Rep.ERR_UNKNOWN);
    }
    client.send(option(Opt.GO, infoData('disk.img')));
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    await eventually('the count', async () => (await timesHit(suite, 'options-limit')) === before + 1);
  });

  it('N10 the 32nd option may still be GO', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    for (let count = 0; count < 31; count++) await askOption(client, option(99));
    expect((await askOption(client, option(Opt.GO, infoData('disk.img')))).type).toBe(Rep.ACK);
    expect(await readBytes(client, 0, 512)).toEqual(suite.imageBytes(0, 512));
  });

  it.each([
    ['one endless option', () => Buffer.concat([optionHeader(99, 0xffff_ffff), Buffer.alloc(300_000)])],
    ['one endless INFO', () => Buffer.concat([optionHeader(Opt.INFO, 0xffff_fff0), Buffer.alloc(300_000)])],
    ['many options', () => Buffer.concat(Array.from({ length: 20 }, () => option(99, Buffer.alloc(14_000))))],
  ])('N10 more than 256 KiB in all, in %s, end the connection and are counted', async (_what, bytes) => {
    const before = await timesHit(suite, 'total-bytes-limit');
    const client = await suite.connect(transport);
    await greet(client);
    client.send(bytes());
    await client.readToEnd();
    await eventually('the count', async () => (await timesHit(suite, 'total-bytes-limit')) === before + 1);
  });

  it('N10 an option that is too long is skipped and refused, and the next is read', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    for (const length of [20_745, 50_000, 150_000]) {
      const long = option(Opt.INFO, Buffer.alloc(length, 1));
      expect((await askOption(client, long)).type).toBe(Rep.ERR_TOO_BIG);
    }
    expect((await askOption(client, option(Opt.LIST))).type).toBe(Rep.ACK);
  });
});

it.each(['options-limit', 'total-bytes-limit'])('N10 %s is in the log, with the client', async (limit) => {
  const log = path.join(suite.holdfast.layout.logs, 'nbd-gateway.log');
  await eventually('the line', () => {
    const lines = readFileSync(log, 'utf8').split('\n');
    return lines.some((line) => line.includes(`"limit":"${limit}","clientAddress":"127.0.0.1:`));
  });
});
