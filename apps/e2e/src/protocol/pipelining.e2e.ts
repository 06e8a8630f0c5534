import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { readGoReplies, readReply } from './conversation.js';
import { expectBytes } from './expect-bytes.js';
import { engines, serving } from './serving.js';
import { Cmd, Err, Opt } from './spec-numbers.js';
import { clientFlags, go, GREETING, option, request, simpleReply } from './wire.js';

const combinations = engines.flatMap((engine) => transports.map((transport) => ({ ...engine, transport })));

describe.each(combinations)(
  'pipelining to the $engine engine over $transport',
  ({ engine, env, transport }) => {
    const suite = serving({ engine, env, images: () => [makeImage(16 * MIB)] });

    it.each([1, 100, 5000])(
      'T1 %i requests right behind GO, in one piece with it, are served',
      async (count) => {
        const client = await suite.connect(transport);
        const cookies = Array.from({ length: count }, (_, index) => BigInt(index));
        const place = (cookie: bigint) => (Number(cookie) * 512) % MIB;
        client.send(
          clientFlags(),
          go('disk.img'),
          ...cookies.map((cookie) => request({ type: Cmd.READ, cookie, offset: place(cookie), length: 512 })),
          request({ type: Cmd.DISC }),
        );
        expect(await client.read(GREETING.length)).toEqual(GREETING);
        await readGoReplies(client);
        const image = suite.imageBytes(0, MIB);
        for (const cookie of cookies) {
          const { error, data } = await readReply(client, cookie, 512);
          expect(error).toBe(Err.OK);
          expectBytes(data, image.subarray(place(cookie), place(cookie) + 512));
        }
        expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
      },
    );

    it.each([100, 20_000, 130_000])(
      'T3 a WRITE of %i bytes right behind EXPORT_NAME is done',
      async (length) => {
        const client = await suite.connect(transport);
        const payload = Buffer.alloc(length, 0xc7);
        client.send(
          clientFlags(),
          option(Opt.EXPORT_NAME, 'disk.img'),
          request({ type: Cmd.WRITE, cookie: 8n, offset: 2 * MIB, payload }),
          request({ type: Cmd.READ, cookie: 9n, offset: 2 * MIB, length }),
        );
        await client.read(GREETING.length + 10);
        const expected = Buffer.concat([simpleReply(8n, 0), simpleReply(9n, 0, payload)]);
        expectBytes(await client.read(expected.length), expected);
      },
    );

    it('T1 a request that is cut in two by the end of the handshake is served', async () => {
      const whole = request({
        type: Cmd.WRITE,
        cookie: 77n,
        offset: 4 * MIB,
        payload: Buffer.alloc(100, 0x99),
      });
      for (const cut of [1, 4, 13, 27, 28, 29, 127]) {
        const client = await suite.connect(transport);
        client.send(clientFlags(), go('disk.img'), whole.subarray(0, cut));
        await client.read(GREETING.length);
        await readGoReplies(client);
        await client.sent(whole.subarray(cut));
        expect(await client.read(16)).toEqual(simpleReply(77n, 0));
        client.close();
      }
      expectBytes(suite.imageBytes(4 * MIB, 100), Buffer.alloc(100, 0x99));
    });

    it('T15 a client that sends all it has to say at once, and shuts its side, is answered all of it', async () => {
      const client = await suite.connect(transport);
      client.send(
        clientFlags(),
        go('disk.img'),
        request({ type: Cmd.READ, cookie: 1n, offset: 0, length: 4096 }),
        request({ type: Cmd.DISC }),
      );
      client.halfClose();
      expect(await client.read(GREETING.length)).toEqual(GREETING);
      await readGoReplies(client);
      expectBytes(await client.readToEnd(), simpleReply(1n, 0, suite.imageBytes(0, 4096)));
    });

    it('T15 a client that shuts its side in transmission is answered all it asked for', async () => {
      const client = await suite.enter('', transport);
      const cookies = Array.from({ length: 100 }, (_, index) => BigInt(index));
      client.send(...cookies.map((cookie) => request({ type: Cmd.READ, cookie, length: 65_536 })));
      client.halfClose();
      const expected = cookies.map((cookie) => simpleReply(cookie, 0, suite.imageBytes(0, 65_536)));
      expectBytes(await client.readToEnd(), Buffer.concat(expected));
    });
  },
);
