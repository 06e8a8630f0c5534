import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { enter, errorOf, readBytes } from './conversation.js';
import { expectBytes, expectZeroes } from './expect-bytes.js';
import { replyModes } from './reply-modes.js';
import { engines, serving } from './serving.js';
import { Cmd, CmdFlag, Err, ExportFlag } from './spec-numbers.js';
import { infoData } from './wire.js';

/** Not a multiple of anything, and more than the maximum payload. */
const SIZE = 70 * MIB + 777;
const LAST = 2n ** 64n - 1n;

describe.each(engines)('the end of an export served by the $engine engine', ({ engine, env }) => {
  const suite = serving({ engine, env, images: () => [makeImage(SIZE, { fill: 'sparse' })] });

  const beyond: [bigint, number][] = [
    [BigInt(SIZE), 1],
    [BigInt(SIZE), 512],
    [BigInt(SIZE - 511), 512],
    [BigInt(SIZE - 1), 2],
    [2n ** 32n, 512],
    [2n ** 53n, 512],
    [2n ** 63n - 512n, 512],
    [2n ** 63n, 512],
    [LAST, 1],
    [LAST - 511n, 512],
    // offset + length is a small number again in 64 bits
    [LAST - 99n, 612],
    [LAST, 32 * MIB],
  ];

  describe.each(replyModes)('with replies of the %s form', (mode) => {
    it.each(beyond)('T4 what ends beyond the export at %i + %i is refused', async (offset, length) => {
      const client = await suite.enter('', undefined, mode);
      expect(await errorOf(client, { type: Cmd.READ, offset, length })).toBe(Err.EINVAL);
      expect(await errorOf(client, { type: Cmd.TRIM, offset, length })).toBe(Err.EINVAL);
      expect(await errorOf(client, { type: Cmd.WRITE_ZEROES, offset, length })).toBe(Err.ENOSPC);
      expect(await errorOf(client, { type: Cmd.WRITE, offset, payload: Buffer.alloc(length, 9) })).toBe(
        Err.ENOSPC,
      );
      expect(await readBytes(client, SIZE - 512, 512)).toEqual(suite.imageBytes(SIZE - 512, 512));
    });

    it.each([1, 512, 777, 4096, 32 * MIB])('T4 the last %i bytes are within it', async (length) => {
      const client = await suite.enter('', undefined, mode);
      const offset = SIZE - length;
      expectBytes(await readBytes(client, offset, length), suite.imageBytes(offset, length));
      const payload = Buffer.alloc(length, 0x77);
      expect(await errorOf(client, { type: Cmd.WRITE, offset, payload })).toBe(Err.OK);
      expectBytes(suite.imageBytes(offset, length), payload);
      expect(await errorOf(client, { type: Cmd.TRIM, offset, length })).toBe(Err.OK);
      expect(await errorOf(client, { type: Cmd.WRITE_ZEROES, offset, length })).toBe(Err.OK);
      expectZeroes(suite.imageBytes(offset, length));
      expect(await errorOf(client, { type: Cmd.READ, offset: offset + 1, length })).toBe(Err.EINVAL);
    });

    it.each([Cmd.TRIM, Cmd.WRITE_ZEROES])(
      'T6 command %i may be longer than the maximum payload',
      async (type) => {
        const client = await suite.enter('', undefined, mode);
        const refusal = type === Cmd.TRIM ? Err.EINVAL : Err.ENOSPC;
        expect(await errorOf(client, { type, offset: 0, length: SIZE })).toBe(Err.OK);
        expect(await errorOf(client, { type, offset: 0, length: 33 * MIB, flags: CmdFlag.FUA })).toBe(Err.OK);
        for (const length of [SIZE + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
          expect(await errorOf(client, { type, offset: 0, length })).toBe(refusal);
        }
        expect(await readBytes(client, 0, 512)).toEqual(Buffer.alloc(512));
      },
    );

    it('T5 a READ above the maximum payload is EINVAL, one of just that length is served', async () => {
      const client = await suite.enter('', undefined, mode);
      for (const length of [32 * MIB + 1, 64 * MIB, SIZE]) {
        expect(await errorOf(client, { type: Cmd.READ, offset: 0, length })).toBe(Err.EINVAL);
      }
      expectBytes(await readBytes(client, 0, 32 * MIB), suite.imageBytes(0, 32 * MIB));
    });
  });
});

describe.each(engines)('a read-only export served by the $engine engine', ({ engine, env }) => {
  const suite = serving({
    engine,
    env,
    images: () => [makeImage(MIB)],
    args: ['--read-only'],
  });

  describe.each(replyModes)('with replies of the %s form', (mode) => {
    it('T18 HAS_FLAGS and READ_ONLY are announced, and nothing that would change it', async () => {
      const { flags } = await enter(await suite.connect(), '', mode);
      expect(flags & (ExportFlag.HAS_FLAGS | ExportFlag.READ_ONLY)).toBe(3);
      expect(flags & (ExportFlag.SEND_TRIM | ExportFlag.SEND_WRITE_ZEROES)).toBe(0);
    });

    it.each([Cmd.WRITE, Cmd.TRIM, Cmd.WRITE_ZEROES])(
      'T18 command %i is EPERM and changes nothing',
      async (type) => {
        const client = await suite.enter('', undefined, mode);
        const before = suite.imageBytes(0, MIB);
        const payload =
          type === Cmd.WRITE ? { payload: Buffer.alloc(70_000, infoData('x')) } : { length: 70_000 };
        for (const flags of [0, CmdFlag.FUA]) {
          for (const offset of [0, 4096, MIB, LAST]) {
            expect(await errorOf(client, { type, offset, flags, ...payload })).toBe(Err.EPERM);
          }
        }
        expectBytes(suite.imageBytes(0, MIB), before);
        expect(await readBytes(client, 4096, 4096)).toEqual(before.subarray(4096, 8192));
        expect(await errorOf(client, { type: Cmd.FLUSH })).toBe(Err.OK);
      },
    );
  });
});
