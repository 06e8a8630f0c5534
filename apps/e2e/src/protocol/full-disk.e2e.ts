import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { errorOf, readBytes, readReply } from './conversation.js';
import { expectBytes } from './expect-bytes.js';
import { engines, serving } from './serving.js';
import { mountingRights, smallDisk } from './small-disk.js';
import { Cmd, CmdFlag, Err } from './spec-numbers.js';
import { request } from './wire.js';

/** The image promises more than its file system can hold. */
const SIZE = 16 * MIB;
const ROOM = 4 * MIB;
const needs = mountingRights();

describe.skipIf(needs.missing).each(engines)(
  `a full disk, $engine engine ${needs.note}`,
  ({ engine, env }) => {
    const suite = serving({
      engine,
      env,
      images: () => {
        const folder = smallDisk(ROOM);
        return [makeImage(SIZE, { fill: 'empty', ...(folder !== undefined && { folder }) })];
      },
    });

    it('T3 a WRITE that fails in its middle is answered ENOSPC, its payload passes by, the client stays', async () => {
      const client = await suite.enter();
      const small = { type: Cmd.WRITE, offset: 0, payload: Buffer.alloc(MIB, 1) };
      expect(await errorOf(client, small)).toBe(Err.OK);
      // All of its payload looks like requests that must not be taken for such.
      const trap = request({ type: Cmd.WRITE_ZEROES, offset: 0, length: MIB });
      const long = { type: Cmd.WRITE, offset: 2 * MIB, payload: Buffer.alloc(8 * MIB, trap) };
      client.send(
        request({ ...long, cookie: 1n }),
        request({ ...long, cookie: 2n, flags: CmdFlag.FUA }),
        request({ type: Cmd.READ, cookie: 3n, offset: 0, length: 4096 }),
      );
      expect((await readReply(client, 1n)).error).toBe(Err.ENOSPC);
      expect((await readReply(client, 2n)).error).toBe(Err.ENOSPC);
      expectBytes((await readReply(client, 3n, 4096)).data, Buffer.alloc(4096, 1));
      expectBytes(await readBytes(client, 0, MIB), Buffer.alloc(MIB, 1));

      // What has its place already can be written, and what is given back can be used.
      expect(await errorOf(client, { ...small, payload: Buffer.alloc(MIB, 2) })).toBe(Err.OK);
      const provision = { type: Cmd.WRITE_ZEROES, flags: CmdFlag.NO_HOLE, offset: 12 * MIB, length: MIB };
      expect(await errorOf(client, provision)).toBe(Err.ENOSPC);
      expect(await errorOf(client, { type: Cmd.TRIM, offset: 2 * MIB, length: 14 * MIB })).toBe(Err.OK);
      expect(await errorOf(client, provision)).toBe(Err.OK);
      expectBytes(await readBytes(client, 0, MIB), Buffer.alloc(MIB, 2));
    });
  },
);
