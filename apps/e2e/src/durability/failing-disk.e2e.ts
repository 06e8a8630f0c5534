import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask, enter, errorOf, readBytes, readReply, send } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import { closeRawClients, RawClient } from '../protocol/raw-client.js';
import { replyModes } from '../protocol/reply-modes.js';
import { Cmd, CmdFlag, Err } from '../protocol/spec-numbers.js';
import { balancedLedger } from '../support/balanced-ledger.js';
import { engines } from '../support/engines.js';
import { FailingDisk, requireFailingDisk } from '../support/failing-disk.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { MIB } from '../support/image.js';

const KIB = 1024;
const SECTOR = 512;
const SIZE = 16 * MIB;

const kinds = engines.flatMap((engine) =>
  (['EIO', 'ENOSPC'] as const).flatMap((error) =>
    [[], ['--direct-io']].map((args) => ({ ...engine, error, args, how: args[0] ?? 'page cache' })),
  ),
);

describe.skipIf(requireFailingDisk.missing).each(kinds)(
  `a disk that answers $error, $engine engine, $how ${requireFailingDisk.note}`,
  ({ env, error, args }) => {
    const code = Err[error];
    let disk: FailingDisk;
    let holdfast: Holdfast;

    beforeAll(async () => {
      disk = await FailingDisk.make(SIZE, error);
      holdfast = await startHoldfast({ images: [disk.file], env, args });
    });
    afterEach(() => {
      disk.heal();
      closeRawClients();
    });
    afterAll(async () => {
      await balancedLedger(holdfast);
      expect(await holdfast.stop()).toBe(0);
    });

    describe.each(replyModes)('with replies of the %s form', (mode) => {
      /** Of each form its own part of the disk: what was read once may be in the page cache. */
      const part = replyModes.indexOf(mode) * 4 * MIB;
      const at = (offset: number) => part + offset;

      it('T10 has the client told which READs failed, and answers the others', async () => {
        const client = await RawClient.connect(holdfast, 'unix');
        await enter(client, '', mode);
        const known = Buffer.alloc(4 * KIB, 0x11);
        expect(await errorOf(client, { type: Cmd.WRITE, offset: at(0), payload: known })).toBe(Err.OK);
        disk.fail('reads');
        for (let round = 0; round < 3; round++) {
          const read = { type: Cmd.READ, offset: at(MIB + round * 64 * KIB), length: 4 * KIB };
          expect(await errorOf(client, read)).toBe(code);
        }
        disk.heal();
        expectBytes(await readBytes(client, at(0), known.length), known);
        expectBytes(await readBytes(client, at(MIB), 4 * KIB), Buffer.alloc(4 * KIB));
      });

      it('T3 T13 has the client told which WRITEs failed, and keeps what was answered', async () => {
        const client = await RawClient.connect(holdfast, 'unix');
        await enter(client, '', mode);
        const write = (offset: number, length: number, value: number, flags = 0) => ({
          type: Cmd.WRITE,
          flags,
          offset: at(offset),
          payload: Buffer.alloc(length, value),
        });
        expect(await errorOf(client, write(0, MIB, 1))).toBe(Err.OK);
        expect(await errorOf(client, write(MIB, 64 * KIB, 2, CmdFlag.FUA))).toBe(Err.OK);
        expect(await errorOf(client, { type: Cmd.FLUSH })).toBe(Err.OK);

        disk.fail('writes');
        for (const failing of [
          write(2 * MIB, 4 * KIB, 9),
          write(2 * MIB, MIB, 9),
          write(2 * MIB, 4 * KIB, 9, CmdFlag.FUA),
          write(2 * MIB + 100, 1000, 9),
          { type: Cmd.WRITE_ZEROES, offset: at(MIB), length: 64 * KIB },
          { type: Cmd.WRITE_ZEROES, flags: CmdFlag.NO_HOLE, offset: at(MIB), length: 64 * KIB },
        ]) {
          expect(await errorOf(client, failing)).toBe(code);
        }
        disk.heal();

        // Many in flight: those between the switches may go either way, and each answer is true.
        const writes = Array.from({ length: 64 }, (_, index) => ({
          ...write(3 * MIB + index * 4 * KIB, 4 * KIB, index + 1),
          cookie: BigInt(index),
        }));
        send(client, ...writes.slice(0, 32));
        disk.fail('writes');
        send(client, ...writes.slice(32));
        const answers: number[] = [];
        for (const { cookie } of writes) answers.push((await readReply(client, cookie)).error);
        disk.heal();
        for (const [index, answer] of answers.entries()) {
          expect([Err.OK, code]).toContain(answer);
          const { data } = await ask(client, {
            type: Cmd.READ,
            offset: at(3 * MIB + index * 4 * KIB),
            length: 4 * KIB,
          });
          if (answer === Err.OK) expectBytes(data, Buffer.alloc(4 * KIB, index + 1));
          else expectOldOrNew(data, 0, index + 1);
        }

        // The session goes on, and nothing is lost of what was answered.
        expectBytes(await readBytes(client, at(0), MIB), Buffer.alloc(MIB, 1));
        expectBytes(await readBytes(client, at(MIB), 64 * KIB), Buffer.alloc(64 * KIB, 2));
        expectOldOrNew(await readBytes(client, at(2 * MIB), MIB), 0, 9);
        expect(await errorOf(client, write(2 * MIB, MIB, 3))).toBe(Err.OK);
        expect(await errorOf(client, { type: Cmd.FLUSH })).toBe(Err.OK);
        expectBytes(await readBytes(client, at(2 * MIB), MIB), Buffer.alloc(MIB, 3));
      });
    });
  },
);

/** Of a write that failed each sector is as before or as written; none is anything else. */
function expectOldOrNew(data: Buffer, old: number, written: number): void {
  for (let at = 0; at < data.length; at += SECTOR) {
    const sector = data.subarray(at, at + SECTOR);
    const isWhole = sector.every((byte) => byte === old) || sector.every((byte) => byte === written);
    if (!isWhole) expect(new Set(sector)).toEqual(new Set([old]));
  }
}
