import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { errorOf, readBytes } from './conversation.js';
import { expectBytes, expectZeroes } from './expect-bytes.js';
import { prepareSession } from './prepared-session.js';
import { engines, serving } from './serving.js';
import { Cmd, CmdFlag, Err } from './spec-numbers.js';
import { request } from './wire.js';

const SIZE = 4 * MIB;

describe.each(engines)('negotiated sizes enforced by the $engine engine', ({ engine, env }) => {
  const suite = serving({ engine, env, images: () => [makeImage(SIZE)] });
  const enter = (blockSizeMinimum: number, payloadMaximum = 32 * MIB) =>
    prepareSession(suite.holdfast, 'disk.img', { blockSizeMinimum, payloadMaximum });

  it.each([2, 512, 4096, 65_536])(
    'T5 what is not aligned to %i is EINVAL, and no data is touched',
    async (unit) => {
      const client = await enter(unit);
      const before = suite.imageBytes(0, SIZE);
      const misaligned: [number, number][] = [
        [1, unit],
        [unit - 1, unit],
        [unit / 2, unit],
        [0, unit - 1],
        [0, unit + 1],
        [unit, unit / 2],
        [unit + 1, unit - 1],
        [1, SIZE - 1],
      ];
      for (const [offset, length] of misaligned) {
        expect(await errorOf(client, { type: Cmd.READ, offset, length })).toBe(Err.EINVAL);
        for (const type of [Cmd.TRIM, Cmd.WRITE_ZEROES]) {
          expect(await errorOf(client, { type, offset, length })).toBe(Err.EINVAL);
          expect(await errorOf(client, { type, offset, length, flags: CmdFlag.FUA })).toBe(Err.EINVAL);
        }
        expect(await errorOf(client, { type: Cmd.WRITE, offset, payload: Buffer.alloc(length, 1) })).toBe(
          Err.EINVAL,
        );
      }
      expectBytes(suite.imageBytes(0, SIZE), before);
      expectBytes(await readBytes(client, unit, 3 * unit), before.subarray(unit, 4 * unit));
      expect(await errorOf(client, { type: Cmd.WRITE, offset: unit, payload: Buffer.alloc(unit, 5) })).toBe(
        Err.OK,
      );
      expectBytes(suite.imageBytes(unit, unit), Buffer.alloc(unit, 5));
      expect(await errorOf(client, { type: Cmd.WRITE_ZEROES, offset: 2 * unit, length: unit })).toBe(Err.OK);
      expectZeroes(suite.imageBytes(2 * unit, unit));
    },
  );

  it('T5 a maximum payload other than 32 MiB is enforced', async () => {
    const client = await enter(512, MIB);
    expectBytes(await readBytes(client, 0, MIB), suite.imageBytes(0, MIB));
    expect(await errorOf(client, { type: Cmd.READ, offset: 0, length: MIB + 512 })).toBe(Err.EINVAL);
    expect(await errorOf(client, { type: Cmd.WRITE, offset: 0, payload: Buffer.alloc(MIB, 3) })).toBe(Err.OK);
    // T6: these have no payload.
    expect(await errorOf(client, { type: Cmd.TRIM, offset: 0, length: 2 * MIB })).toBe(Err.OK);
    expect(await errorOf(client, { type: Cmd.WRITE_ZEROES, offset: 0, length: SIZE })).toBe(Err.OK);
    client.send(
      request({ type: Cmd.WRITE, cookie: 1n, offset: 0, length: MIB + 512 }),
      Buffer.alloc(4096, 9),
    );
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    expectZeroes(suite.imageBytes(0, SIZE));
  });
});
