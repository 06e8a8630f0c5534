import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command, CommandFlag, NbdError } from '@holdfast/nbd-protocol';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { describeEngines } from '../testing/both-engines.js';
import { directIoUnavailable, DirectScene } from '../testing/direct-scene.js';
import { DISK_BYTES } from '../testing/engine-scene.js';
import type { NbdClient } from '../testing/nbd-client.js';

const KIB = 1024;
const { READ, WRITE, FLUSH, TRIM, WRITE_ZEROES, CACHE } = Command;
const { FUA, NO_HOLE } = CommandFlag;

const probe = mkdtempSync(path.join(tmpdir(), 'holdfast-'));
const missing = directIoUnavailable(probe);
afterAll(() => {
  rmSync(probe, { recursive: true });
});

const ranges = [
  [0, 4 * KIB],
  [512, 512],
  [4 * KIB, 1024 * KIB],
  [0, 1],
  [511, 2],
  [4095, 4098],
  [12_345, 100_001],
  [100, 600 * KIB],
  [DISK_BYTES - 1, 1],
  [1, DISK_BYTES - 2],
  [0, DISK_BYTES],
] as const;

describe.skipIf(missing !== undefined)(`direct I/O${missing === undefined ? '' : ` (${missing})`}`, () => {
  describeEngines('past the page cache', (engine) => {
    test.each(ranges)('READ from %i of %i bytes answers with what is on the disk', async (offset, length) => {
      const scene = new DirectScene(engine());
      const { data, error } = await scene.serve().client.ask({ type: READ, offset, length });
      expect(error).toBe(0);
      expect(data.equals(scene.original(offset, length))).toBe(true);
    });

    test.each(ranges)(
      'WRITE from %i of %i bytes changes those and no others (T13)',
      async (offset, length) => {
        const scene = new DirectScene(engine());
        const { client } = scene.serve();
        const payload = Buffer.alloc(length, 0xab);
        const flags = length % 2 === 0 ? FUA : 0;
        expect((await client.ask({ type: WRITE, offset, payload, flags })).error).toBe(0);
        expect((await client.ask({ type: FLUSH })).error).toBe(0);
        const expected = Buffer.concat([scene.original(0, offset), payload, scene.original(offset + length)]);
        expect(scene.content().equals(expected.subarray(0, DISK_BYTES))).toBe(true);
      },
    );

    test.each([
      { name: 'WRITE_ZEROES', type: WRITE_ZEROES, flags: 0 },
      { name: 'WRITE_ZEROES with NO_HOLE and FUA', type: WRITE_ZEROES, flags: NO_HOLE | FUA },
      { name: 'TRIM with FUA', type: TRIM, flags: FUA },
    ])('T14 what $name covers reads back as zeroes, the rest is untouched', async ({ type, flags }) => {
      const scene = new DirectScene(engine());
      const { client } = scene.serve();
      const [offset, length] = [4 * KIB + 100, 1500 * KIB];
      expect((await client.ask({ type, offset, length, flags })).error).toBe(0);
      const { data } = await client.ask({ type: READ, offset: 0, length: DISK_BYTES });
      const expected = [scene.original(0, offset), Buffer.alloc(length), scene.original(offset + length)];
      expect(data.equals(Buffer.concat(expected))).toBe(true);
    });

    test('a burst of requests is answered one by one, in order; CACHE is a hint', async () => {
      const scene = new DirectScene(engine());
      const { client } = scene.serve();
      const reads = Array.from({ length: 300 }, (_, i) => ({
        type: READ,
        offset: i * 5003,
        length: 4 * KIB,
      }));
      client.send({ type: CACHE, offset: 0, length: DISK_BYTES }, ...reads);
      expect((await client.reply()).error).toBe(0);
      for (const { offset, length } of reads) {
        expect((await client.reply()).data.equals(scene.original(offset, length))).toBe(true);
      }
    });

    test('T3 READs that are under way at once show what was written before them, whatever is among them', async () => {
      const scene = new DirectScene(engine());
      const { client, account } = scene.serve();
      for (let round = 0; round < 20; round++) {
        const payload = Buffer.alloc(4 * KIB, 100 + round);
        const reads = Array.from({ length: 20 }, (_, i) => ({
          type: READ,
          offset: (64 + i * 7) * KIB + (i % 5 === 4 ? 100 : 0),
          length: (1 + (i % 3)) * 4 * KIB,
        }));
        const before = { type: READ, offset: 8 * KIB, length: 4 * KIB };
        client.send(...reads, { type: READ, offset: 2 ** 40, length: 512 });
        client.send({ type: WRITE, offset: 8 * KIB, payload }, before, ...reads);
        for (const { offset, length } of reads) {
          expect((await client.reply()).data.equals(scene.original(offset, length))).toBe(true);
        }
        expect((await client.reply()).error).toBe(NbdError.EINVAL);
        expect((await client.reply()).error).toBe(0);
        expect((await client.reply()).data.equals(payload)).toBe(true);
        for (const { offset, length } of reads) {
          expect((await client.reply()).data.equals(scene.original(offset, length))).toBe(true);
        }
      }
      await expect.poll(() => account.view.outstandingSegments()).toBe(0);
    });

    test('E3 READs that are under way when the client leaves are over before their memory is used again', async () => {
      const scene = new DirectScene(engine());
      for (let round = 0; round < 20; round++) {
        const { client, ended, account } = scene.serve();
        client.send(
          ...Array.from({ length: 200 }, (_, i) => ({ type: READ, offset: i * 16 * KIB, length: 16 * KIB })),
        );
        if (round % 2 === 0) await client.reply();
        client.hangUp();
        await ended;
        expect(account.view.outstanding()).toEqual([]);
      }
    });

    test('T10 READs beyond where the file was cut short are EIO, those among them that are not are answered', async () => {
      const scene = new DirectScene(engine());
      const { client } = scene.serve();
      scene.truncate(64 * KIB);
      const offsets = [0, 128, 4, 60, 64, 8].map((kib) => kib * KIB);
      client.send(...offsets.map((offset) => ({ type: READ, offset, length: 4 * KIB })));
      for (const offset of offsets) {
        expect((await client.reply()).error).toBe(offset < 64 * KIB ? 0 : NbdError.EIO);
      }
    });

    test('chunks of structured replies are read the same', async () => {
      const scene = new DirectScene(engine());
      const { chunks } = scene.serve({ replyMode: 'structured', contexts: true });
      const { data } = await chunks.ask({ type: READ, offset: 1000, length: 100_000 });
      expect(data.equals(scene.original(1000, 100_000))).toBe(true);
    });

    test('no write to a part of a block loses what a neighbour writes to another part of it', async () => {
      const scene = new DirectScene(engine());
      // Strips of 100 bytes, by turns of one client and the other: most blocks are of both.
      const [strip, end, rounds] = [100, 4000, 30];
      const write = async (client: NbdClient, first: number, value: number) => {
        const offsets = [];
        for (let at = first; at < end; at += 2 * strip) offsets.push(at);
        for (let round = 0; round < rounds; round++) {
          const payload = Buffer.alloc(strip, value + round);
          client.send(...offsets.map((offset) => ({ type: WRITE, offset, payload })));
          for (const offset of offsets) {
            expect((await client.reply()).error, `WRITE at ${String(offset)}`).toBe(0);
          }
          for (const offset of offsets) {
            const { data } = await client.ask({ type: READ, offset, length: strip });
            expect(data.equals(payload), `what was answered in round ${String(round)} is there`).toBe(true);
          }
        }
      };
      const [one, other] = [scene.serve().client, scene.serve().client];
      await Promise.all([write(one, 0, 0), write(other, strip, 128)]);
      expect(scene.content(end).equals(scene.original(end))).toBe(true);
    });

    test('no write to a part of a block undoes a whole block that was written meanwhile', async () => {
      const scene = new DirectScene(engine());
      const [one, other] = [scene.serve().client, scene.serve().client];
      const [part, block, writes] = [100, 4 * KIB, 300];
      const inPart = async () => {
        const payload = Buffer.alloc(part, 0xff);
        for (let i = 0; i < writes; i++) {
          expect((await one.ask({ type: WRITE, offset: 0, payload })).error).toBe(0);
        }
      };
      const whole = async () => {
        for (let i = 0; i < writes; i++) {
          const change =
            i % 3 === 0
              ? { type: WRITE_ZEROES, offset: 0, length: block }
              : { type: WRITE, offset: 0, payload: Buffer.alloc(block, i % 200) };
          expect((await other.ask(change)).error).toBe(0);
          const { data } = await other.ask({ type: READ, offset: part, length: block - part });
          expect(data.equals(Buffer.alloc(block - part, i % 3 === 0 ? 0 : i % 200))).toBe(true);
        }
      };
      await Promise.all([inPart(), whole()]);
    });

    test('T10 cut short behind our back, answers EIO beyond its end, and is not made longer', async () => {
      const scene = new DirectScene(engine());
      const { client } = scene.serve();
      scene.truncate(64 * KIB + 100);
      for (const request of [
        { type: READ, offset: 64 * KIB, length: 4 * KIB },
        { type: READ, offset: 128 * KIB + 1, length: 4 * KIB },
        { type: WRITE, offset: 64 * KIB + 50, payload: Buffer.alloc(10) },
        { type: WRITE, offset: 128 * KIB + 1, payload: Buffer.alloc(10) },
      ]) {
        expect((await client.ask(request)).error).toBe(NbdError.EIO);
      }
      expect((await client.ask({ type: READ, offset: 64 * KIB, length: 100 })).error).toBe(0);
      expect(statSync(scene.file).size).toBe(64 * KIB + 100);
    });

    test('E10 the bounce buffer is pinned for as long as the kernel reads or writes it', async () => {
      const scene = new DirectScene(engine());
      const { client, account } = scene.serve();
      const before = () => account.view.totals().variants.pinned;
      await client.ask({ type: READ, offset: 100, length: 700 });
      await client.ask({ type: WRITE, offset: 5000, payload: Buffer.alloc(700) });
      await expect.poll(() => account.view.outstandingSegments()).toBe(0);
      expect(before().released).toBe(before().acquired);
      // Each request, and what it goes by.
      expect(before().acquired).toBeGreaterThanOrEqual(4);
      expect(before().acquiredBytes).toBeGreaterThan(2 * 700 + 2 * 512);
    });

    test.skipIf(pinnedByKernel() === undefined)(
      `E10 what the kernel pins for it, it unpins (${pinnedByKernel() === undefined ? 'it does not tell here' : 'nr_foll_pin'})`,
      async () => {
        const scene = new DirectScene(engine());
        const { client } = scene.serve();
        const before = pinnedByKernel()?.acquired ?? 0;
        const pages = 400;
        for (let i = 0; i < pages; i++)
          await client.ask({ type: READ, offset: i * 4 * KIB, length: 4 * KIB });
        // Each processor counts for itself and tells the sum now and then, and others use direct I/O as well: so a part of
        // it must show, and less than that may be left.
        const enough = pages / 2;
        expect((pinnedByKernel()?.acquired ?? 0) - before).toBeGreaterThan(enough);
        await expect
          .poll(() => (pinnedByKernel()?.acquired ?? 0) - (pinnedByKernel()?.released ?? 0), {
            timeout: 5000,
          })
          .toBeLessThan(enough);
      },
    );

    test('a device that cannot be written answers EIO, and goes on', async () => {
      const scene = new DirectScene(engine());
      const fd = openSync(scene.file, 'r');
      onTestFinished(() => {
        closeSync(fd);
      });
      const { client } = scene.serve({ device: fd });
      const payload = Buffer.alloc(512);
      expect((await client.ask({ type: WRITE, offset: 0, payload })).error).toBe(NbdError.EIO);
      expect((await client.ask({ type: WRITE, offset: 1, payload })).error).toBe(NbdError.EIO);
      expect((await client.ask({ type: READ, offset: 0, length: 512 })).error).toBe(0);
    });
  });
});

/** What the kernel has pinned by pin_user_pages since it started; undefined where it does not tell. */
function pinnedByKernel(): { acquired: number; released: number } | undefined {
  const facts = readFileSync('/proc/vmstat', 'utf8');
  const read = (name: string) => new RegExp(`^nr_foll_pin_${name} (\\d+)$`, 'm').exec(facts)?.[1];
  const [acquired, released] = [read('acquired'), read('released')];
  if (acquired === undefined || released === undefined) return undefined;
  return { acquired: Number(acquired), released: Number(released) };
}
