import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { requirement } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { errorOf, readBytes } from './conversation.js';
import { expectBytes, expectZeroes } from './expect-bytes.js';
import { replyModes } from './reply-modes.js';
import { engines, serving } from './serving.js';
import { onTmpfs, sharedMemoryFolder } from './shared-memory.js';
import { Cmd, CmdFlag, Err } from './spec-numbers.js';

const SIZE = 8 * MIB;
const places = [
  { place: 'a disk', folder: scratchFolder, needs: requirement({}) },
  { place: `a tmpfs ${onTmpfs.note}`, folder: sharedMemoryFolder, needs: onTmpfs },
].flatMap((where) => engines.map((engine) => ({ ...where, ...engine })));

for (const { place, engine, env, folder, needs } of places) {
  describe.skipIf(needs.missing)(`zeroes on ${place} by the ${engine} engine`, () => {
    const suite = serving({ engine, env, images: () => [makeImage(SIZE, { folder: folder() })] });
    const blocksOf = () => statSync(suite.image).blocks * 512;

    describe.each(replyModes)('with replies of the %s form', (mode) => {
      it.each([
        ['', 0],
        ['with NO_HOLE', CmdFlag.NO_HOLE],
        ['with FUA', CmdFlag.FUA],
        ['with NO_HOLE and FUA', CmdFlag.NO_HOLE | CmdFlag.FUA],
      ])('T14 WRITE_ZEROES %s reads back as zeroes, and nothing beside it changes', async (_which, flags) => {
        const client = await suite.enter('', undefined, mode);
        const ranges: [number, number][] = [
          [0, 4096],
          [4096 + 1000, 9999],
          [MIB - 1, 2],
          [2 * MIB + 511, 2 * MIB + 3],
        ];
        expect(
          await errorOf(client, { type: Cmd.WRITE, offset: 0, payload: Buffer.alloc(5 * MIB, 0xa5) }),
        ).toBe(0);
        const expected = suite.imageBytes(0, SIZE);
        for (const [offset, length] of ranges) {
          expect(await errorOf(client, { type: Cmd.WRITE_ZEROES, offset, length, flags })).toBe(Err.OK);
          expected.fill(0, offset, offset + length);
          expectZeroes(await readBytes(client, offset, length));
        }
        expectBytes(suite.imageBytes(0, SIZE), expected);
      });

      it.each([
        ['', CmdFlag.FAST_ZERO],
        ['with NO_HOLE', CmdFlag.FAST_ZERO | CmdFlag.NO_HOLE],
        ['with FUA', CmdFlag.FAST_ZERO | CmdFlag.FUA],
      ])('T14 FAST_ZERO %s zeroes, or is ENOTSUP and changes nothing', async (_which, flags) => {
        const client = await suite.enter('', undefined, mode);
        const before = Buffer.alloc(4096, 7);
        expect(await errorOf(client, { type: Cmd.WRITE, offset: 0, payload: before })).toBe(Err.OK);
        const error = await errorOf(client, { type: Cmd.WRITE_ZEROES, offset: 0, length: 4096, flags });
        expect([Err.OK, Err.ENOTSUP]).toContain(error);
        expectBytes(suite.imageBytes(0, 4096), error === Err.OK ? Buffer.alloc(4096) : before);
        // A hole is made wherever these tests run.
        if ((flags & CmdFlag.NO_HOLE) === 0) expect(error).toBe(Err.OK);
      });
    });

    it('T14 WRITE_ZEROES gives the space back, with NO_HOLE it keeps it or takes it', async () => {
      const client = await suite.enter();
      const zero = { type: Cmd.WRITE_ZEROES, offset: MIB, length: 4 * MIB };
      expect(await errorOf(client, { type: Cmd.WRITE, offset: 0, payload: Buffer.alloc(SIZE, 1) })).toBe(
        Err.OK,
      );
      expect(await errorOf(client, { type: Cmd.FLUSH })).toBe(Err.OK);
      const full = blocksOf();
      expect(await errorOf(client, { ...zero, flags: CmdFlag.NO_HOLE })).toBe(Err.OK);
      expect(blocksOf()).toBeGreaterThanOrEqual(full);
      expect(await errorOf(client, zero)).toBe(Err.OK);
      expect(blocksOf()).toBeLessThanOrEqual(full - 4 * MIB + 65_536);
      // Provisioned again, out of the hole.
      expect(await errorOf(client, { ...zero, flags: CmdFlag.NO_HOLE | CmdFlag.FUA })).toBe(Err.OK);
      expect(blocksOf()).toBeGreaterThanOrEqual(full);
      expectZeroes(await readBytes(client, MIB, 4 * MIB));
    });

    it('T14 TRIM gives the space back', async () => {
      const client = await suite.enter();
      expect(await errorOf(client, { type: Cmd.WRITE, offset: 0, payload: Buffer.alloc(SIZE, 1) })).toBe(
        Err.OK,
      );
      expect(await errorOf(client, { type: Cmd.FLUSH })).toBe(Err.OK);
      const full = blocksOf();
      expect(await errorOf(client, { type: Cmd.TRIM, offset: 4 * MIB, length: 4 * MIB })).toBe(Err.OK);
      expect(blocksOf()).toBeLessThanOrEqual(full - 4 * MIB + 65_536);
      expectBytes(await readBytes(client, 0, 4 * MIB), Buffer.alloc(4 * MIB, 1));
      expect(statSync(suite.image).size).toBe(SIZE);
    });
  });
}
