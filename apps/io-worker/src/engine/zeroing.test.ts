import { Command, CommandFlag, NbdError } from '@holdfast/nbd-protocol';
import { describe, expect, test } from 'vitest';
import { describeEngines } from '../testing/both-engines.js';
import { DISK_BYTES, EngineScene } from '../testing/engine-scene.js';
import { loopUnavailable } from '@holdfast/linux/testing/loop-device';
import { openLoop } from '../testing/loop-device.js';
import { smallTmpfs, tmpfsUnavailable } from '../testing/small-tmpfs.js';

const KIB = 1024;
const { READ, TRIM, WRITE_ZEROES, BLOCK_STATUS } = Command;
const { FAST_ZERO, NO_HOLE } = CommandFlag;
const [offset, length] = [64 * KIB, 1024 * KIB];
const zeroes = Buffer.alloc(length);

describeEngines('on a file', (engine) => {
  test.each([
    ['FAST_ZERO', FAST_ZERO],
    ['FAST_ZERO and NO_HOLE', FAST_ZERO | NO_HOLE],
  ])('T14 %s zeroes where the file system does it by itself, or changes nothing', async (_name, flags) => {
    const scene = new EngineScene(engine());
    const { client } = scene.serve();
    const { error } = await client.ask({ type: WRITE_ZEROES, offset, length, flags });
    expect([0, NbdError.ENOTSUP]).toContain(error);
    const expected = error === 0 ? zeroes : scene.original(offset, length);
    expect(scene.content(offset, length).equals(expected)).toBe(true);
    expect(scene.content(0, offset).equals(scene.original(0, offset))).toBe(true);
  });
});

const noTmpfs = tmpfsUnavailable();
describe.skipIf(noTmpfs !== undefined)(`on a tmpfs${noTmpfs === undefined ? '' : ` (${noTmpfs})`}`, () => {
  describeEngines('a file', (engine) => {
    test('T14 FAST_ZERO that would have to write is ENOTSUP at once, and changes nothing', async () => {
      const scene = new EngineScene(engine(), smallTmpfs(2 * DISK_BYTES));
      const { client } = scene.serve();
      const request = { type: WRITE_ZEROES, offset, length, flags: FAST_ZERO | NO_HOLE };
      expect((await client.ask(request)).error).toBe(NbdError.ENOTSUP);
      expect(scene.content().equals(scene.original())).toBe(true);
      expect((await client.ask({ ...request, flags: FAST_ZERO })).error).toBe(0);
      expect(scene.content(offset, length).equals(zeroes)).toBe(true);
    });
  });
});

const noLoop = loopUnavailable();
describe.skipIf(noLoop !== undefined)(`on a loop device${noLoop === undefined ? '' : ` (${noLoop})`}`, () => {
  describeEngines('a block device', (engine) => {
    test('T14 FAST_ZERO with NO_HOLE, which the kernel might write, is ENOTSUP and changes nothing', async () => {
      const scene = new EngineScene(engine());
      const { client } = scene.serve({ device: openLoop(scene.file) });
      const request = { type: WRITE_ZEROES, offset, length, flags: FAST_ZERO | NO_HOLE };
      expect((await client.ask(request)).error).toBe(NbdError.ENOTSUP);
      const { data } = await client.ask({ type: READ, offset, length });
      expect(data.equals(scene.original(offset, length))).toBe(true);
      expect((await client.ask({ ...request, flags: NO_HOLE })).error).toBe(0);
      expect((await client.ask({ type: READ, offset, length })).data.equals(zeroes)).toBe(true);
    });

    test('T14 what does not lie within whole sectors is zeroed too, and FAST_ZERO refuses it', async () => {
      const scene = new EngineScene(engine());
      const { client } = scene.serve({ device: openLoop(scene.file) });
      const request = { type: WRITE_ZEROES, offset: 100, length: 1000, flags: FAST_ZERO };
      expect((await client.ask(request)).error).toBe(NbdError.ENOTSUP);
      expect((await client.ask({ ...request, flags: 0 })).error).toBe(0);
      const { data } = await client.ask({ type: READ, offset: 0, length: 2000 });
      const expected = Buffer.from(scene.original(0, 2000)).fill(0, 100, 1100);
      expect(data.equals(expected)).toBe(true);
      expect((await client.ask({ type: TRIM, offset: 100, length: 1000 })).error).toBe(0);
    });

    test('T11 all of it is data', async () => {
      const scene = new EngineScene(engine());
      const { chunks } = scene.serve({
        device: openLoop(scene.file),
        replyMode: 'structured',
        contexts: true,
      });
      const { status } = await chunks.ask({ type: BLOCK_STATUS, offset, length });
      expect(status.get(1)).toEqual([[DISK_BYTES - offset, 0]]);
      const reply = await chunks.ask({ type: READ, offset, length });
      expect(reply.content).toEqual([`data ${String(offset)}+${String(length)}`]);
      expect(reply.data.equals(scene.original(offset, length))).toBe(true);
    });
  });
});
