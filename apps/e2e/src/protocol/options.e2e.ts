import { describe, expect, it } from 'vitest';
import { transports } from '../support/ready-line.js';
import { askOption, greet, readOptionReply } from './conversation.js';
import { Opt, Rep } from './spec-numbers.js';
import { clientFlags, GREETING, option, optionHeader, optionReply, uint32 } from './wire.js';
import { serving } from './serving.js';

const suite = serving();

describe.each(transports)('options over %s', (transport) => {
  it.each([0, Opt.PEEK_EXPORT, 12, 0x7fff_ffff, 0xffff_ffff])(
    'N1 option %i is answered ERR_UNSUP, and its data skipped',
    async (code) => {
      const client = await suite.connect(transport);
      await greet(client);
      for (const length of [0, 1, 100, 70_000]) {
        // The data looks like options.
        const data = Buffer.alloc(length, option(Opt.ABORT));
        client.send(option(code, data));
        const reply = await readOptionReply(client);
        expect([reply.option, reply.type]).toEqual([code, Rep.ERR_UNSUP]);
        expect((await askOption(client, option(Opt.LIST))).type).toBe(Rep.ACK);
      }
    },
  );

  it('N8 without TLS STARTTLS is ERR_POLICY, and nothing is ever TLS_REQD', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    for (const data of ['', 'with data']) {
      expect((await askOption(client, option(Opt.STARTTLS, data))).type).toBe(Rep.ERR_POLICY);
    }
    expect((await askOption(client, option(Opt.LIST))).type).toBe(Rep.ACK);
  });

  it.each([Opt.STRUCTURED_REPLY, Opt.EXTENDED_HEADERS])(
    'N11 option %i is acknowledged, with data it is ERR_INVALID',
    async (code) => {
      const client = await suite.connect(transport);
      await greet(client);
      expect((await askOption(client, option(code, 'data'))).type).toBe(Rep.ERR_INVALID);
      expect((await askOption(client, option(code))).type).toBe(Rep.ACK);
      const last = await askOption(client, option(Opt.STRUCTURED_REPLY));
      expect(last.type).toBe(code === Opt.STRUCTURED_REPLY ? Rep.ACK : Rep.ERR_EXT_HEADER_REQD);
    },
  );

  it('N11 after EXTENDED_HEADERS EXPORT_NAME ends the connection', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    expect((await askOption(client, option(Opt.EXTENDED_HEADERS))).type).toBe(Rep.ACK);
    client.send(option(Opt.EXPORT_NAME, 'disk.img'));
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
  });

  it('N1 the data of an unknown option may come in pieces', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    await client.sent(optionHeader(99, 5));
    for (const byte of 'ABCDE') await client.sent(Buffer.from(byte));
    expect((await readOptionReply(client)).type).toBe(Rep.ERR_UNSUP);
    expect((await askOption(client, option(Opt.LIST))).type).toBe(Rep.ACK);
  });

  it.each(['4', '8', '80000000', '00010003', 'ffffffff'])(
    'N2 client flags 0x%s were not offered and end the connection',
    async (flags) => {
      const client = await suite.connect(transport);
      expect(await client.read(GREETING.length)).toEqual(GREETING);
      client.send(clientFlags(parseInt(flags, 16)), option(Opt.LIST));
      expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    },
  );

  it.each([1, 3])('N2 client flags %i are those that were offered', async (flags) => {
    const client = await suite.connect(transport);
    await greet(client, flags);
    expect((await askOption(client, option(Opt.LIST))).type).toBe(Rep.ACK);
  });

  it.each([0, 2])(
    'N2 client flags %i: without FIXED_NEWSTYLE there is no option but EXPORT_NAME',
    async (flags) => {
      const client = await suite.connect(transport);
      await greet(client, flags);
      client.send(option(Opt.LIST));
      expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    },
  );

  it.each(['', 'with data that is ignored'])(
    'N6 ABORT is answered ACK, then the connection ends %s',
    async (data) => {
      const client = await suite.connect(transport);
      await greet(client);
      client.send(option(Opt.ABORT, data), option(Opt.LIST));
      expect(await client.readToEnd()).toEqual(optionReply(Opt.ABORT, Rep.ACK));
    },
  );

  it('N6 a client that sends ABORT and is gone harms nobody', async () => {
    for (let round = 0; round < 20; round++) {
      const client = await suite.connect(transport);
      await client.sent(clientFlags(), option(Opt.ABORT));
      if (round % 2 === 0) client.reset();
      else client.close();
    }
    const client = await suite.connect(transport);
    await greet(client);
    expect((await askOption(client, option(Opt.LIST))).type).toBe(Rep.ACK);
  });

  it('N1 anything but an option where an option must begin ends the connection', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    client.send(Buffer.from('IHAVEOPS'), uint32(Opt.LIST), uint32(0));
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
  });
});
