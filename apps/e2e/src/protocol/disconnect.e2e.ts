import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { makeImage, MIB } from '../support/image.js';
import { listSessions } from '../support/instance-facts.js';
import { transports } from '../support/ready-line.js';
import { readReply } from './conversation.js';
import { expectBytes } from './expect-bytes.js';
import { engines, serving } from './serving.js';
import { Cmd, CmdFlag } from './spec-numbers.js';
import { request, simpleReply } from './wire.js';

const SIZE = 16 * MIB;

describe.each(engines)('DISC to the $engine engine', ({ engine, env }) => {
  const suite = serving({ engine, env, images: () => [makeImage(SIZE)] });

  it.each(transports)('T15 DISC has no reply: the connection ends over %s', async (transport) => {
    const client = await suite.enter('', transport);
    client.send(request({ type: Cmd.DISC, cookie: 1n }));
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    expect(client.failure).toBeUndefined();
    await suite.idle();
  });

  it.each(transports)('T15 everything before DISC is done and answered over %s', async (transport) => {
    const client = await suite.enter('', transport);
    const payload = Buffer.alloc(4096, 0xd1);
    const requests: Buffer[] = [];
    const replies: Buffer[] = [];
    for (let index = 0; index < 300; index++) {
      const cookie = BigInt(index);
      const offset = index * 4096;
      if (index % 2 === 0) {
        requests.push(request({ type: Cmd.READ, cookie, offset: 8 * MIB + offset, length: 4096 }));
        replies.push(simpleReply(cookie, 0, suite.imageBytes(8 * MIB + offset, 4096)));
      } else {
        const flags = index % 50 === 1 ? CmdFlag.FUA : 0;
        requests.push(request({ type: Cmd.WRITE, cookie, offset, payload, flags }));
        replies.push(simpleReply(cookie, 0));
      }
    }
    // What comes after DISC is nobody's business.
    client.send(...requests, request({ type: Cmd.DISC }), request({ type: Cmd.WRITE, payload, offset: 0 }));
    expectBytes(await client.readToEnd(), Buffer.concat(replies));
    for (let index = 1; index < 300; index += 2) expectBytes(suite.imageBytes(index * 4096, 4096), payload);
    expect(suite.imageBytes(0, 4096).equals(payload)).toBe(false);
  });

  it.each(transports)(
    'T15 a client that takes its time with the replies before DISC gets them all over %s',
    async (transport) => {
      const client = await suite.enter('', transport);
      client.stopReading();
      const reads = Array.from({ length: 16 }, (_, index) => BigInt(index));
      await client.sent(
        ...reads.map((cookie) =>
          request({ type: Cmd.READ, cookie, offset: Number(cookie) * MIB, length: MIB }),
        ),
        request({ type: Cmd.DISC }),
      );
      // Its session lives while its replies are on their way.
      const used = await eventually('the session to be served', async () => {
        const [session] = await listSessions(suite.holdfast);
        return session?.engine !== '' && session?.engine;
      });
      expect(used).toBe(engine);
      client.socket.resume();
      for (const cookie of reads) {
        const { error, data } = await readReply(client, cookie, MIB);
        expect(error).toBe(0);
        expectBytes(data, suite.imageBytes(Number(cookie) * MIB, MIB));
      }
      expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    },
  );
});
