import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { ask, errorOf, readBytes, readReply, send } from './conversation.js';
import { expectBytes, expectZeroes } from './expect-bytes.js';
import type { RawClient } from './raw-client.js';
import { replyModes } from './reply-modes.js';
import { engines, serving } from './serving.js';
import { Cmd, CmdFlag, Err } from './spec-numbers.js';
import { request, requestIn } from './wire.js';

const SIZE = 48 * MIB;
/** Offered by no export; BLOCK_STATUS not without a context. */
const unknownCommands = [Cmd.BLOCK_STATUS, Cmd.RESIZE, 9, 0x7fff, 0xffff];
const everyCommand = [Cmd.READ, Cmd.WRITE, Cmd.FLUSH, Cmd.TRIM, Cmd.CACHE, Cmd.WRITE_ZEROES];
const zeroFlags: readonly number[] = [CmdFlag.NO_HOLE, CmdFlag.FAST_ZERO];

describe.each(engines)('requests served by the $engine engine', ({ engine, env }) => {
  const suite = serving({ engine, env, images: () => [makeImage(SIZE, { fill: 'empty' })] });

  describe.each(replyModes)('with replies of the %s form', (mode) => {
    async function expectInSync(client: RawClient): Promise<void> {
      expect(await readBytes(client, 0, 512)).toEqual(suite.imageBytes(0, 512));
      expect(client.buffered).toBe(0);
    }

    it.each(unknownCommands)('T1 command %i is answered EINVAL, and has no payload', async (type) => {
      const client = await suite.enter('', undefined, mode);
      for (const length of [0, 512, 4096, 0xffff_ffff]) {
        expect(await errorOf(client, { type, offset: 0, length })).toBe(Err.EINVAL);
      }
      await expectInSync(client);
    });

    it.each(transports)(
      'T1 a WRITE above the maximum payload ends the connection over %s',
      async (transport) => {
        for (const length of [32 * MIB + 1, 0x8000_0000, 0xffff_ffff]) {
          const client = await suite.enter('', transport, mode);
          // What came before is answered.
          client.send(
            requestIn(mode, { type: Cmd.READ, cookie: 1n, length: 512 }),
            requestIn(mode, { type: Cmd.WRITE, cookie: 2n, length }),
            Buffer.alloc(1024, 1),
          );
          expect(await readReply(client, 1n, 512)).toEqual({ error: 0, data: Buffer.alloc(512) });
          expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
        }
        expect(suite.imageBytes(0, 1024)).toEqual(Buffer.alloc(1024));
      },
    );

    it.each(everyCommand)('T2 command %i refuses every flag but its own by EINVAL', async (type) => {
      const client = await suite.enter('', undefined, mode);
      const payload = type === Cmd.WRITE ? Buffer.alloc(512, 0xee) : undefined;
      const length = type === Cmd.FLUSH ? 0 : 512;
      for (let bit = 0; bit < 16; bit++) {
        const flags = 1 << bit;
        // A payload, which is another matter.
        if (mode === 'extended' && flags === CmdFlag.PAYLOAD_LEN) continue;
        const isDf = mode !== 'simple' && type === Cmd.READ && flags === CmdFlag.DF;
        const allowed =
          isDf || flags === CmdFlag.FUA || (type === Cmd.WRITE_ZEROES && zeroFlags.includes(flags));
        if (allowed) continue;
        const fields = { type, length, offset: type === Cmd.FLUSH ? 0 : MIB, ...(payload && { payload }) };
        expect(await errorOf(client, { ...fields, flags }), `bit ${String(bit)}`).toBe(Err.EINVAL);
        expect(await errorOf(client, { ...fields, flags: flags | CmdFlag.FUA })).toBe(Err.EINVAL);
      }
      expect(suite.imageBytes(MIB, 512)).toEqual(Buffer.alloc(512));
      await expectInSync(client);
    });

    it.each(everyCommand)('T2 command %i accepts FUA', async (type) => {
      const client = await suite.enter('', undefined, mode);
      const place = type === Cmd.FLUSH ? { length: 0 } : { offset: 2 * MIB, length: 512 };
      const payload = type === Cmd.WRITE ? { payload: Buffer.alloc(512) } : {};
      expect(await errorOf(client, { type, flags: CmdFlag.FUA, ...place, ...payload })).toBe(Err.OK);
      await expectInSync(client);
    });

    it('T3 the payload of a WRITE that is refused passes by, whatever it looks like and however long it is', async () => {
      const client = await suite.enter('', undefined, mode);
      const trap = request({ type: Cmd.DISC });
      for (const length of [1, 28, 512, 65_536, 700_001, 32 * MIB]) {
        const payload = Buffer.alloc(length, trap);
        const beyond = { type: Cmd.WRITE, payload, offset: SIZE - length + 1 };
        const flagged = { type: Cmd.WRITE, payload, offset: 0, flags: CmdFlag.NO_HOLE };
        expect(await errorOf(client, beyond)).toBe(Err.ENOSPC);
        expect(await errorOf(client, flagged)).toBe(Err.EINVAL);
        await expectInSync(client);
      }
      expectZeroes(suite.imageBytes(0, SIZE));
    });

    it('T3 refused and good writes that are pipelined are told apart', async () => {
      const client = await suite.enter('', undefined, mode);
      const payload = Buffer.alloc(5000, 0x5a);
      const writes = Array.from({ length: 60 }, (_, index) => ({
        cookie: BigInt(index),
        bad: index % 3 === 0,
      }));
      send(
        client,
        ...writes.map(({ cookie, bad }) => ({
          type: Cmd.WRITE,
          cookie,
          payload,
          offset: bad ? SIZE : 3 * MIB + Number(cookie) * 5000,
        })),
      );
      for (const { cookie, bad } of writes) {
        expect((await readReply(client, cookie)).error).toBe(bad ? Err.ENOSPC : Err.OK);
        const written = suite.imageBytes(3 * MIB + Number(cookie) * 5000, 5000);
        expectBytes(written, bad ? Buffer.alloc(5000) : payload);
      }
      expect(await errorOf(client, { type: Cmd.TRIM, offset: 3 * MIB, length: MIB })).toBe(Err.OK);
    });

    it.each([Cmd.READ, Cmd.WRITE, Cmd.TRIM, Cmd.WRITE_ZEROES])(
      'T7 command %i of length zero is EINVAL, and the client stays',
      async (type) => {
        const client = await suite.enter('', undefined, mode);
        expect(await errorOf(client, { type, offset: 512, length: 0 })).toBe(Err.EINVAL);
        await expectInSync(client);
      },
    );

    it('T7 a FLUSH with an offset or a length is EINVAL', async () => {
      const client = await suite.enter('', undefined, mode);
      expect(await errorOf(client, { type: Cmd.FLUSH, offset: 512, length: 0 })).toBe(Err.EINVAL);
      expect(await errorOf(client, { type: Cmd.FLUSH, offset: 0, length: 512 })).toBe(Err.EINVAL);
      expect(await errorOf(client, { type: Cmd.FLUSH, offset: 0, length: 0 })).toBe(Err.OK);
    });

    it.each(transports)('T7 a wrong magic ends that connection over %s and no other', async (transport) => {
      const other = await suite.enter('', transport, mode);
      const foreign = mode === 'extended' ? '25609513' : '21e41c71';
      for (const magic of ['25609514', '00000000', '67446698', foreign]) {
        const client = await suite.enter('', transport, mode);
        const wrong = Buffer.concat([
          Buffer.from(magic, 'hex'),
          requestIn(mode, { type: Cmd.WRITE }).subarray(4),
        ]);
        client.send(requestIn(mode, { type: Cmd.FLUSH, cookie: 7n }), wrong, Buffer.alloc(300));
        expect((await readReply(client, 7n)).error).toBe(Err.OK);
        expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
        await expectInSync(other);
      }
      expect((await ask(other, { type: Cmd.FLUSH })).error).toBe(Err.OK);
    });
  });
});
