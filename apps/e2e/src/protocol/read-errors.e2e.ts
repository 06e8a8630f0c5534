import { truncateSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { ask, errorOf, readBytes } from './conversation.js';
import { expectBytes } from './expect-bytes.js';
import { replyModes } from './reply-modes.js';
import { engines, serving } from './serving.js';
import { Cmd, Err } from './spec-numbers.js';
import { request } from './wire.js';

const SIZE = 8 * MIB;
/** What is left of the image: its size was promised, so what is missing is an I/O error. */
const LEFT = MIB + 100;

describe.each(engines)('a file that shrinks under the $engine engine', ({ engine, env }) => {
  const suite = serving({ engine, env, images: () => [makeImage(SIZE)] });
  let before: Buffer;

  beforeEach(() => {
    before = suite.imageBytes(0, LEFT);
  });
  afterEach(() => {
    truncateSync(suite.image, SIZE);
  });

  /** A client that was told the whole size: whoever comes after is told what is left. */
  const enter = async (...how: Parameters<typeof suite.enter>) => {
    const client = await suite.enter(...how);
    truncateSync(suite.image, LEFT);
    return client;
  };

  describe.each(replyModes)('with replies of the %s form', (mode) => {
    it.each([
      ['behind what is left', 2 * MIB, 4096],
      ['at the very end', SIZE - 1, 1],
      ['half of it there', LEFT - 4096, 8192],
      ['all but a byte there', LEFT - 4095, 4096],
    ])('T9 T10 a short READ is answered EIO, %s, and the client stays', async (_where, offset, length) => {
      const client = await enter('', undefined, mode);
      for (let round = 0; round < 3; round++) {
        expect(await errorOf(client, { type: Cmd.READ, offset, length })).toBe(Err.EIO);
        expectBytes(await readBytes(client, LEFT - 4096, 4096), before.subarray(LEFT - 4096));
      }
    });

    it('T9 T10 a READ that fails leaves the good ones around it alone', async () => {
      const client = await enter('', undefined, mode);
      const good = { type: Cmd.READ, offset: 512, length: 4096 };
      const bad = { type: Cmd.READ, offset: 3 * MIB, length: 4096 };
      for (let round = 0; round < 50; round++) {
        const { error, data } = await ask(client, round % 2 === 0 ? good : bad);
        expect(error).toBe(round % 2 === 0 ? Err.OK : Err.EIO);
        expectBytes(data, round % 2 === 0 ? before.subarray(512, 512 + 4096) : Buffer.alloc(0));
      }
    });
  });

  it.each(transports)(
    'T10 a long READ that fails after its header ends the connection over %s at once',
    async (transport) => {
      const other = await suite.enter('', transport);
      const client = await enter('', transport);
      // More is in the queue; nothing of it may follow.
      client.send(
        request({ type: Cmd.READ, cookie: 5n, offset: 0, length: 4 * MIB }),
        request({ type: Cmd.READ, cookie: 6n, offset: 0, length: 512 }),
        request({ type: Cmd.WRITE, cookie: 7n, offset: 0, payload: Buffer.alloc(512, 1) }),
      );
      const sent = await client.readToEnd();
      expect(sent.toString('hex', 0, 16)).toBe('67446698' + '00000000' + '0000000000000005');
      expect(sent.length).toBeLessThanOrEqual(16 + LEFT);
      expectBytes(sent.subarray(16), before.subarray(0, sent.length - 16));
      expectBytes(await readBytes(other, 0, 512), before.subarray(0, 512));
    },
  );

  it('T10 a long READ with nothing there is answered EIO, or ends the connection when its header is out', async () => {
    const client = await enter();
    client.send(request({ type: Cmd.READ, cookie: 5n, offset: 4 * MIB, length: MIB }));
    const header = await client.read(16);
    if (header.readUInt32BE(4) === Err.EIO) {
      expectBytes(await readBytes(client, 0, 512), before.subarray(0, 512));
    } else {
      expect(header.readUInt32BE(4)).toBe(Err.OK);
      expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    }
  });
});
