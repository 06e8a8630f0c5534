import { existsSync, truncateSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { enter, errorOf, readBytes } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import { closeRawClients, RawClient } from '../protocol/raw-client.js';
import { mountingRights, smallDisk } from '../protocol/small-disk.js';
import { Cmd, CmdFlag, Err } from '../protocol/spec-numbers.js';
import { balancedLedger } from '../support/balanced-ledger.js';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { requirement } from '../support/requirements.js';

const SIZE = 16 * MIB;
const ROOM = 4 * MIB;
const loops = requirement({ '/dev/loop-control': existsSync('/dev/loop-control') });
const mounting = mountingRights();
const note = [mounting.note, loops.note].filter((one) => one !== '').join(' ');

describe.skipIf(mounting.missing || loops.missing).each(engines)(
  `a loop device whose file system is full, $engine engine ${note}`,
  ({ env }) => {
    let holdfast: Holdfast;
    let image: string;
    let client: RawClient;

    beforeAll(async () => {
      const folder = smallDisk(ROOM);
      image = makeImage(SIZE, { fill: 'empty', name: 'loop.img', ...(folder !== undefined && { folder }) });
      holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
      for (const command of [
        ['device', 'add', 'loop', '--kind', 'loop', '--path', image],
        ['device', 'attach', 'loop'],
        ['export', 'add', 'loop', '--device', 'loop'],
      ]) {
        expect(await holdfast.cli(...command)).toMatchObject({ code: 0 });
      }
      client = await RawClient.connect(holdfast, 'unix');
      await enter(client, 'loop');
    });
    afterEach(() => balancedLedger(holdfast));
    afterAll(async () => {
      closeRawClients();
      expect(await holdfast.stop()).toBe(0);
    });

    const write = (offset: number, length: number, value: number, flags = 0) =>
      errorOf(client, { type: Cmd.WRITE, flags, offset, payload: Buffer.alloc(length, value) });
    const flush = () => errorOf(client, { type: Cmd.FLUSH });
    /** The loop driver makes EIO of it in some kernels. */
    const noRoom = [Err.EIO, Err.ENOSPC];

    it('T13 does not say of a FLUSH that it was done, keeps what was flushed before, and goes on', async () => {
      expect(await write(0, MIB, 1)).toBe(Err.OK);
      expect(await flush()).toBe(Err.OK);
      // It is in the page cache of the loop device, which is all that a WRITE promises.
      expect(await write(2 * MIB, 8 * MIB, 2)).toBe(Err.OK);
      expect(noRoom).toContain(await flush());
      expectBytes(await readBytes(client, 0, MIB), Buffer.alloc(MIB, 1));
      expect(await write(0, MIB, 3)).toBe(Err.OK);
      expect(await flush()).toBe(Err.OK);
      expectBytes(await readBytes(client, 0, MIB), Buffer.alloc(MIB, 3));
    });

    it('T13 does not say of a WRITE with FUA that it was done', async () => {
      expect(noRoom).toContain(await write(12 * MIB, 2 * MIB, 4, CmdFlag.FUA));
      expect(await write(0, 4096, 5, CmdFlag.FUA)).toBe(Err.OK);
      expectBytes(await readBytes(client, 0, 4096), Buffer.alloc(4096, 5));
    });

    it('T10 answers EIO to a READ of what was cut off its file', async () => {
      truncateSync(image, MIB);
      expect(await errorOf(client, { type: Cmd.READ, offset: 15 * MIB, length: 4096 })).toBe(Err.EIO);
      expectBytes(await readBytes(client, 0, 4096), Buffer.alloc(4096, 5));
    });
  },
);
