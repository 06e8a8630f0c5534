import { Command, CommandFlag, NbdError } from '@holdfast/nbd-protocol';
import { expect, test } from 'vitest';
import { describeEngines } from '../testing/both-engines.js';
import { DISK_BYTES, EngineScene } from '../testing/engine-scene.js';

const KIB = 1024;
const { READ, WRITE, FLUSH, TRIM, WRITE_ZEROES, DISC } = Command;
const { FUA, NO_HOLE } = CommandFlag;

describeEngines('requests', (engine) => {
  test.each([1, 511, 4 * KIB, 32 * KIB - 1, 32 * KIB, 100_001, 1024 * KIB, DISK_BYTES])(
    'READ of %i bytes answers with what is on the disk, cookie unchanged (T16)',
    async (length) => {
      const scene = new EngineScene(engine());
      const { client } = scene.serve();
      const offset = DISK_BYTES - length;
      const cookie = 0xfedc_ba98_7654_3210n;
      const reply = await client.ask({ type: READ, offset, length, cookie });
      expect(reply.error).toBe(0);
      expect(reply.cookie).toBe(cookie);
      expect(reply.data.equals(scene.original(offset, length))).toBe(true);
    },
  );

  test.each([1, 4 * KIB, 100_001, 300 * KIB, 2048 * KIB])(
    'WRITE of %i bytes changes those and no others (T13)',
    async (length) => {
      const scene = new EngineScene(engine());
      const { client } = scene.serve();
      const offset = 12_345;
      const payload = Buffer.alloc(length, 0xab);
      expect((await client.ask({ type: WRITE, offset, payload })).error).toBe(0);
      expect(scene.content(0, offset).equals(scene.original(0, offset))).toBe(true);
      expect(scene.content(offset, length).equals(payload)).toBe(true);
      expect(scene.content(offset + length).equals(scene.original(offset + length))).toBe(true);
    },
  );

  test('requests that come in any pieces are served the same', async () => {
    const scene = new EngineScene(engine());
    const { client } = scene.serve();
    const payload = Buffer.from('pieces of one payload');
    const bytes = Buffer.concat([
      client.prepare({ type: WRITE, offset: 100, payload, flags: FUA }),
      client.prepare({ type: READ, offset: 98, length: 25 }),
    ]);
    for (const byte of bytes) {
      client.socket.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    expect((await client.reply()).error).toBe(0);
    const { data } = await client.reply();
    const around = scene.original(98, 25);
    expect(data.equals(Buffer.concat([around.subarray(0, 2), payload, around.subarray(23)]))).toBe(true);
  });

  test('a burst of requests is answered one by one, in order', async () => {
    const scene = new EngineScene(engine());
    const { client } = scene.serve();
    const reads = Array.from({ length: 600 }, (_, i) => ({
      type: READ,
      offset: i * 4 * KIB,
      length: 4 * KIB,
    }));
    client.send(...reads);
    for (const { offset, length } of reads) {
      const { error, data } = await client.reply();
      expect(error).toBe(0);
      expect(data.equals(scene.original(offset, length))).toBe(true);
    }
  });

  test('a WRITE is seen by the READ behind it, and FLUSH is answered (T13)', async () => {
    const scene = new EngineScene(engine());
    const { client } = scene.serve();
    const payload = Buffer.alloc(8 * KIB, 0x5a);
    client.send(
      { type: WRITE, offset: 0, payload },
      { type: FLUSH },
      { type: READ, offset: 0, length: 8 * KIB },
    );
    const replies = [await client.reply(), await client.reply(), await client.reply()];
    expect(replies.map(({ error }) => error)).toEqual([0, 0, 0]);
    expect(replies[2]?.data.equals(payload)).toBe(true);
  });

  test.each([
    { name: 'WRITE_ZEROES', type: WRITE_ZEROES, flags: 0 },
    { name: 'WRITE_ZEROES with NO_HOLE and FUA', type: WRITE_ZEROES, flags: NO_HOLE | FUA },
    { name: 'TRIM with FUA', type: TRIM, flags: FUA },
  ])('T14 what $name covers reads back as zeroes, the rest is untouched', async ({ type, flags }) => {
    const scene = new EngineScene(engine());
    const { client } = scene.serve();
    const [offset, length] = [64 * KIB, 1024 * KIB];
    const before = scene.allocatedBytes();
    expect((await client.ask({ type, offset, length, flags })).error).toBe(0);
    const { data } = await client.ask({ type: READ, offset, length });
    expect(data.equals(Buffer.alloc(length))).toBe(true);
    expect(scene.content(0, offset).equals(scene.original(0, offset))).toBe(true);
    expect(scene.content(offset + length).equals(scene.original(offset + length))).toBe(true);
    if ((flags & NO_HOLE) !== 0) expect(scene.allocatedBytes()).toBe(before);
    else expect(scene.allocatedBytes()).toBeLessThan(before);
  });

  test.each([
    {
      name: 'READ past the end',
      request: { type: READ, offset: DISK_BYTES, length: 1 },
      error: NbdError.EINVAL,
    },
    { name: 'an unknown command', request: { type: 999 }, error: NbdError.EINVAL },
    {
      name: 'WRITE_ZEROES past the end',
      request: { type: WRITE_ZEROES, offset: 1, length: DISK_BYTES },
      error: NbdError.ENOSPC,
    },
    { name: 'READ of nothing', request: { type: READ, offset: 0, length: 0 }, error: NbdError.EINVAL },
  ])('T4 $name is refused, and the connection stays', async ({ request, error }) => {
    const scene = new EngineScene(engine());
    const { client } = scene.serve();
    expect((await client.ask(request)).error).toBe(error);
    expect((await client.ask({ type: READ, offset: 0, length: 512 })).error).toBe(0);
  });

  test('T3 T18 a WRITE to a read-only export is drained, refused, and changes nothing', async () => {
    const scene = new EngineScene(engine());
    const { client } = scene.serve({ readOnly: true });
    const payload = Buffer.alloc(700 * KIB, 1);
    expect((await client.ask({ type: WRITE, offset: 0, payload })).error).toBe(NbdError.EPERM);
    expect((await client.ask({ type: TRIM, offset: 0, length: 512 })).error).toBe(NbdError.EPERM);
    expect((await client.ask({ type: READ, offset: 0, length: 512 })).error).toBe(0);
    expect(scene.content().equals(scene.original())).toBe(true);
  });

  test('what a session has done is counted', async () => {
    const scene = new EngineScene(engine());
    const { client, control } = scene.serve();
    await client.ask({ type: READ, offset: 0, length: 1000 });
    await client.ask({ type: READ, offset: 0, length: 100_000 });
    await client.ask({ type: WRITE, offset: 0, payload: Buffer.alloc(300) });
    await client.ask({ type: 999 });
    client.send({ type: DISC });
    await expect
      .poll(() => control.counters)
      .toMatchObject({ requests: 4, bytesRead: 101_000, bytesWritten: 300, errors: 1 });
  });
});
