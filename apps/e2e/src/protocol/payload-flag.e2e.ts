import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { errorOf, readBytes, readReply } from './conversation.js';
import { expectBytes } from './expect-bytes.js';
import { engines, serving } from './serving.js';
import { Cmd, Err } from './spec-numbers.js';
import { requestIn, uint16 } from './wire.js';

const SIZE = 4 * MIB;

/** A WRITE of extended headers whose header does not have PAYLOAD_LEN. */
function unflaggedWrite(cookie: bigint, offset: number, length: number): Buffer {
  const header = requestIn('extended', { type: Cmd.WRITE, cookie, offset, length });
  header.set(uint16(0), 4);
  return header;
}

describe.each(engines)('PAYLOAD_LEN left out, $engine engine', ({ engine, env }) => {
  const suite = serving({ engine, env, images: () => [makeImage(SIZE, { fill: 'empty' })] });

  describe.each(transports)('over %s', (transport) => {
    it('T1 a WRITE without payload is EINVAL, whether a request follows or nothing (extended)', async () => {
      const client = await suite.enter('', transport, 'extended');
      client.send(unflaggedWrite(1n, 0, 512));
      expect((await readReply(client, 1n)).error).toBe(Err.EINVAL);
      client.send(unflaggedWrite(2n, 0, 512), requestIn('extended', { type: Cmd.FLUSH, cookie: 3n }));
      expect((await readReply(client, 2n)).error).toBe(Err.EINVAL);
      expect((await readReply(client, 3n)).error).toBe(Err.OK);
      expect(await readBytes(client, 0, 512)).toEqual(suite.imageBytes(0, 512));
    });

    it('T1 a payload that comes all the same is written, also when it comes a little later (extended)', async () => {
      const client = await suite.enter('', transport, 'extended');
      const payload = randomBytes(100_000);
      client.send(unflaggedWrite(1n, MIB, payload.length));
      await delay(50);
      client.send(payload);
      expect((await readReply(client, 1n)).error).toBe(Err.OK);
      expectBytes(suite.imageBytes(MIB, payload.length), payload);
      // The next may be anything.
      const looksLikeRequests = requestIn('extended', { type: Cmd.TRIM, offset: MIB, length: 512 });
      client.send(unflaggedWrite(2n, 2 * MIB, looksLikeRequests.length), looksLikeRequests);
      expect((await readReply(client, 2n)).error).toBe(Err.OK);
      expectBytes(suite.imageBytes(2 * MIB, looksLikeRequests.length), looksLikeRequests);
      expect(await errorOf(client, { type: Cmd.FLUSH })).toBe(Err.OK);
    });
  });
});
