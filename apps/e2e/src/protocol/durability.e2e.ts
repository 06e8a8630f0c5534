import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { enter, errorOf, readReply } from './conversation.js';
import { delayedBlocks, lateAllocation } from './delayed-blocks.js';
import { engines, serving } from './serving.js';
import { Cmd, CmdFlag, Err, ExportFlag } from './spec-numbers.js';
import { request } from './wire.js';

const needs = lateAllocation();
const payload = Buffer.alloc(64 * 1024, 0x13);

describe.each(engines)(`durability by the $engine engine ${needs.note}`, ({ engine, env }) => {
  const suite = serving({ engine, env, images: () => [makeImage(64 * MIB, { fill: 'empty' })] });

  /** Whether a range that was written is known to be in memory only. */
  const isDelayed = (offset: number) => delayedBlocks(suite.image).has(offset);

  it.skipIf(needs.missing)('T13 FLUSH covers every write that was answered on its connection', async () => {
    const client = await suite.enter();
    expect(await errorOf(client, { type: Cmd.WRITE, offset: MIB, payload })).toBe(Err.OK);
    expect(isDelayed(MIB)).toBe(true);
    expect(await errorOf(client, { type: Cmd.FLUSH })).toBe(Err.OK);
    expect(delayedBlocks(suite.image).size).toBe(0);
  });

  it.skipIf(needs.missing)(
    'T13 FLUSH covers the writes that all other connections were answered',
    async () => {
      const writers = [await suite.enter(), await suite.enter('', 'unix'), await suite.enter()];
      const flusher = await suite.connect();
      const { flags } = await enter(flusher);
      expect(flags & ExportFlag.CAN_MULTI_CONN).not.toBe(0);
      const places = [2 * MIB, 3 * MIB, 4 * MIB];
      for (const [index, writer] of writers.entries()) {
        const offset = places[index] ?? 0;
        expect(await errorOf(writer, { type: Cmd.WRITE, offset, payload })).toBe(Err.OK);
      }
      expect(places.map(isDelayed)).toEqual([true, true, true]);
      // One of them leaves before.
      writers[0]?.close();
      expect(await errorOf(flusher, { type: Cmd.FLUSH })).toBe(Err.OK);
      expect(places.map(isDelayed)).toEqual([false, false, false]);
    },
  );

  it.skipIf(needs.missing)('T13 FLUSH covers the writes that were pipelined before it', async () => {
    const client = await suite.enter();
    const writes = Array.from({ length: 100 }, (_, index) => BigInt(index));
    client.send(
      ...writes.map((cookie) =>
        request({ type: Cmd.WRITE, cookie, offset: 8 * MIB + Number(cookie) * payload.length, payload }),
      ),
      request({ type: Cmd.FLUSH, cookie: 1000n }),
    );
    for (const cookie of [...writes, 1000n]) expect((await readReply(client, cookie)).error).toBe(Err.OK);
    expect(delayedBlocks(suite.image).size).toBe(0);
  });

  it.skipIf(needs.missing)('T13 FUA covers its own write, small or in many pieces', async () => {
    const client = await suite.enter();
    const long = Buffer.alloc(5 * MIB, 0x31);
    expect(await errorOf(client, { type: Cmd.WRITE, offset: 20 * MIB, payload })).toBe(Err.OK);
    expect(isDelayed(20 * MIB)).toBe(true);
    const fua = { type: Cmd.WRITE, flags: CmdFlag.FUA };
    expect(await errorOf(client, { ...fua, offset: 21 * MIB, payload: payload.subarray(0, 4096) })).toBe(
      Err.OK,
    );
    expect(isDelayed(21 * MIB)).toBe(false);
    expect(await errorOf(client, { ...fua, offset: 24 * MIB, payload: long })).toBe(Err.OK);
    const delayed = [...delayedBlocks(suite.image)];
    expect(delayed.filter((offset) => offset >= 24 * MIB && offset < 29 * MIB)).toEqual([]);
    expect(await errorOf(client, { type: Cmd.FLUSH })).toBe(Err.OK);
  });

  it.skipIf(needs.missing)(
    'T13 WRITE_ZEROES and TRIM with FUA are answered after what they changed is stable',
    async () => {
      const client = await suite.enter();
      for (const type of [Cmd.TRIM, Cmd.WRITE_ZEROES]) {
        expect(await errorOf(client, { type: Cmd.WRITE, offset: 32 * MIB, payload })).toBe(Err.OK);
        const half = { type, offset: 32 * MIB, length: payload.length / 2, flags: CmdFlag.FUA };
        expect(await errorOf(client, half)).toBe(Err.OK);
        expect(delayedBlocks(suite.image).size).toBe(0);
      }
    },
  );
});
