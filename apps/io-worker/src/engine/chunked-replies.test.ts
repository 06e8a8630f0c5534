import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { punchHole } from '@holdfast/linux';
import { Command, CommandFlag, encodeBlockStatusFilter, NbdError } from '@holdfast/nbd-protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeEngines } from '../testing/both-engines.js';
import { DISK_BYTES, EngineScene } from '../testing/engine-scene.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const { READ, WRITE, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS } = Command;
const { DF, REQ_ONE, FAST_ZERO, NO_HOLE } = CommandFlag;
const DATA = 0;
const HOLE = 3;

/** A file that is empty but for a mebibyte in its middle. */
function sparseFile(sizeBytes: number): number {
  const fd = openSync(path.join(temporaryFolder(), 'sparse.img'), 'w+');
  onTestFinished(() => {
    closeSync(fd);
  });
  ftruncateSync(fd, sizeBytes);
  writeSync(fd, Buffer.alloc(MIB, 0xaa), 0, MIB, sizeBytes / 2);
  return fd;
}

/** The first mebibyte of a scene's disk without its second quarter. */
function withHole(scene: EngineScene): EngineScene {
  expect(punchHole(scene.fd, 256 * KIB, 256 * KIB)).toBe(0);
  return scene;
}

describe.each(['structured', 'extended'] as const)('%s', (replyMode) => {
  describeEngines('replies', (engine) => {
    test.each([1, 511, 4 * KIB, 32 * KIB, 100_001, MIB, DISK_BYTES])(
      'T8 READ of %i bytes answers with what is on the disk',
      async (length) => {
        const scene = new EngineScene(engine());
        const { chunks } = scene.serve({ replyMode });
        const offset = DISK_BYTES - length;
        const reply = await chunks.ask({ type: READ, offset, length });
        expect(reply.error).toBe(0);
        expect(reply.content).toEqual([`data ${String(offset)}+${String(length)}`]);
        expect(reply.data.equals(scene.original(offset, length))).toBe(true);
      },
    );

    test('T9 holes of the file are holes of the reply, and with DF zeroes', async () => {
      const scene = withHole(new EngineScene(engine()));
      const { chunks } = scene.serve({ replyMode });
      const request = { type: READ, offset: 0, length: MIB };
      const reply = await chunks.ask(request);
      expect(reply.content).toEqual([
        `data 0+${String(256 * KIB)}`,
        `hole ${String(256 * KIB)}+${String(256 * KIB)}`,
        `data ${String(512 * KIB)}+${String(512 * KIB)}`,
      ]);
      expect(reply.data.equals(scene.content(0, MIB))).toBe(true);
      const whole = await chunks.ask({ ...request, flags: DF });
      expect(whole.content).toEqual([`data 0+${String(MIB)}`]);
      expect(whole.data.equals(scene.content(0, MIB))).toBe(true);
    });

    test('T9 what was written into a hole is data at once, what was trimmed a hole', async () => {
      const scene = withHole(new EngineScene(engine()));
      const { chunks } = scene.serve({ replyMode });
      const [offset, length] = [300 * KIB, 4 * KIB];
      const read = { type: READ, offset, length };
      for (let turn = 0; turn < 5; turn += 1) {
        expect((await chunks.ask(read)).content).toEqual([`hole ${String(offset)}+${String(length)}`]);
        const payload = Buffer.alloc(length, turn + 1);
        expect((await chunks.ask({ type: WRITE, offset, payload })).error).toBe(0);
        expect((await chunks.ask(read)).data.equals(payload)).toBe(true);
        expect((await chunks.ask({ type: TRIM, offset, length })).error).toBe(0);
      }
    });

    test('T9 a file cut short is told by the offset of the error, what came before is sound', async () => {
      const scene = new EngineScene(engine());
      const { chunks } = scene.serve({ replyMode });
      scene.truncate(512 * KIB);
      const reply = await chunks.ask({ type: READ, offset: 0, length: MIB, flags: DF });
      expect(reply).toMatchObject({ error: NbdError.EIO, message: 'the device failed' });
      const errorOffset = reply.errorOffset ?? -1;
      expect(errorOffset).toBeLessThanOrEqual(512 * KIB);
      const before = scene.original(0, errorOffset);
      expect(reply.data.subarray(0, errorOffset).equals(before)).toBe(true);
      expect((await chunks.ask({ type: READ, offset: 0, length: 512 })).error).toBe(0);
    });

    test('T11 BLOCK_STATUS tells data, holes and depth', async () => {
      const scene = withHole(new EngineScene(engine()));
      const { chunks } = scene.serve({ replyMode, contexts: true });
      const { error, status } = await chunks.ask({ type: BLOCK_STATUS, offset: 0, length: DISK_BYTES });
      expect(error).toBe(0);
      expect([...status]).toEqual([
        [
          1,
          [
            [256 * KIB, DATA],
            [256 * KIB, HOLE],
            [DISK_BYTES - 512 * KIB, DATA],
          ],
        ],
        [2, [[DISK_BYTES, 1]]],
      ]);
    });

    test('T11 REQ_ONE is one extent, no longer than what was asked', async () => {
      const scene = withHole(new EngineScene(engine()));
      const { chunks } = scene.serve({ replyMode, contexts: true });
      const request = { type: BLOCK_STATUS, offset: 4 * KIB, length: 100 * KIB, flags: REQ_ONE };
      const { status } = await chunks.ask(request);
      expect([...status]).toEqual([
        [1, [[100 * KIB, DATA]]],
        [2, [[100 * KIB, 1]]],
      ]);
      const across = await chunks.ask({ ...request, offset: 200 * KIB });
      expect(across.status.get(1)).toEqual([[56 * KIB, DATA]]);
    });

    test('T11 without a context BLOCK_STATUS is EINVAL, with a text', async () => {
      const { chunks } = new EngineScene(engine()).serve({ replyMode });
      expect(await chunks.ask({ type: BLOCK_STATUS, length: 512 })).toMatchObject({
        error: NbdError.EINVAL,
        message: 'no metadata context was selected',
      });
    });

    test('T11 holes longer than 32 bits are told from end to end', async () => {
      const sizeBytes = 2 ** 35;
      const { chunks } = new EngineScene(engine()).serve({
        replyMode,
        contexts: true,
        device: sparseFile(sizeBytes),
        sizeBytes,
      });
      const found: string[] = [];
      for (let offset = 0; offset < sizeBytes;) {
        const length = Math.min(sizeBytes - offset, 2 ** 31);
        const { status } = await chunks.ask({ type: BLOCK_STATUS, offset, length });
        for (const [extent, flags] of status.get(1) ?? []) {
          if (flags === DATA) found.push(`${String(offset)}+${String(extent)}`);
          offset += extent;
        }
      }
      expect(found).toEqual([`${String(sizeBytes / 2)}+${String(MIB)}`]);
    });

    test.each([
      { name: 'WRITE_ZEROES', type: WRITE_ZEROES, flags: 0 },
      { name: 'WRITE_ZEROES with FAST_ZERO', type: WRITE_ZEROES, flags: FAST_ZERO },
      { name: 'CACHE', type: CACHE, flags: 0 },
      { name: 'TRIM', type: TRIM, flags: 0 },
    ])('T6 $name of the whole disk succeeds', async ({ type, flags }) => {
      const scene = new EngineScene(engine());
      const { chunks } = scene.serve({ replyMode });
      expect((await chunks.ask({ type, offset: 0, length: DISK_BYTES, flags })).error).toBe(0);
      const { content } = await chunks.ask({ type: READ, offset: 0, length: DISK_BYTES });
      const kind = type === CACHE ? 'data' : 'hole';
      expect(content).toEqual([`${kind} 0+${String(DISK_BYTES)}`]);
    });

    test('T14 with NO_HOLE the range stays provisioned', async () => {
      const scene = new EngineScene(engine());
      const { chunks } = scene.serve({ replyMode, contexts: true });
      const before = scene.allocatedBytes();
      const zero = { type: WRITE_ZEROES, offset: 0, length: MIB, flags: NO_HOLE };
      expect((await chunks.ask(zero)).error).toBe(0);
      expect(scene.allocatedBytes()).toBe(before);
      expect(scene.content(0, MIB).equals(Buffer.alloc(MIB))).toBe(true);
    });

    test('what a session has done is counted: bytes that were read, not holes', async () => {
      const scene = withHole(new EngineScene(engine()));
      const { chunks, control } = scene.serve({ replyMode });
      await chunks.ask({ type: READ, offset: 0, length: MIB });
      await chunks.ask({ type: READ, offset: 0, length: 0 });
      await chunks.ask({ type: FLUSH });
      await expect
        .poll(() => control.counters)
        .toMatchObject({ requests: 3, bytesRead: 768 * KIB, bytesWritten: 0, errors: 1 });
    });
  });
});

describeEngines('extended headers', (engine) => {
  test('T12 a filter chooses the contexts; ids that are unknown or doubled are EINVAL, in sync', async () => {
    const scene = withHole(new EngineScene(engine()));
    const { chunks } = scene.serve({ replyMode: 'extended', contexts: true });
    const ask = (...contextIds: number[]) =>
      chunks.ask({
        type: BLOCK_STATUS,
        offset: 256 * KIB,
        payload: encodeBlockStatusFilter({ effectLength: BigInt(64 * KIB), contextIds }),
      });
    expect([...(await ask(2)).status.keys()]).toEqual([2]);
    expect([...(await ask(2, 1)).status.keys()].sort()).toEqual([1, 2]);
    for (const ids of [[], [3], [1, 1], [1, 2, 1]]) expect((await ask(...ids)).error).toBe(NbdError.EINVAL);
    expect((await ask(1)).status.get(1)).toEqual([[256 * KIB, HOLE]]);
  });

  test('T1 a payload that does not belong is consumed, then EINVAL', async () => {
    const { chunks } = new EngineScene(engine()).serve({ replyMode: 'extended' });
    const payload = Buffer.alloc(700 * KIB, 0x21);
    expect((await chunks.ask({ type: FLUSH, payload })).error).toBe(NbdError.EINVAL);
    expect((await chunks.ask({ type: READ, offset: 0, length: 512 })).error).toBe(0);
  });

  test('T6 TRIM of a terabyte at once', async () => {
    const sizeBytes = 2 ** 40;
    const { chunks } = new EngineScene(engine()).serve({
      replyMode: 'extended',
      contexts: true,
      device: sparseFile(sizeBytes),
      sizeBytes,
    });
    const everything = { offset: 0, length: sizeBytes };
    expect((await chunks.ask({ type: TRIM, ...everything })).error).toBe(0);
    const { status } = await chunks.ask({ type: BLOCK_STATUS, ...everything });
    expect(status.get(1)).toEqual([[sizeBytes, HOLE]]);
  });
});
