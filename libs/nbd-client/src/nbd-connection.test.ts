import { Command, CommandFlag } from '@holdfast/nbd-protocol';
import { expect, test } from 'vitest';
import { connectToMemory, connectToScript } from './testing/connected.js';
import { expectBytes } from './testing/expect-bytes.js';
import type { MemoryExport } from './testing/memory-export.js';
import type { ArrivedRequest } from './testing/peer.js';
import type { ProbeRequest } from './transmission/probe.js';
import { errorChunk, fields, none, offsetData, pattern } from './testing/wire.js';

const MODES = ['simple', 'structured', 'extended'] as const;
type Mode = (typeof MODES)[number];
const SIZE = 1 << 20;

function memory(mode: Mode, more: Partial<MemoryExport> = {}) {
  const requests: ArrivedRequest[] = [];
  const served: MemoryExport = {
    mode,
    image: pattern(SIZE),
    sizeBytes: SIZE,
    contexts: { 'base:allocation': 3, 'x-test:other': 4 },
    onRequest: (request) => {
      requests.push(request);
    },
    ...more,
  };
  return { served, requests, image: served.image };
}

for (const mode of MODES) {
  test(`${mode}: what is written is read, in every way to read`, async () => {
    const { served, image } = memory(mode);
    const connection = await connectToMemory(served);
    await connection.write(4096, pattern(5000, 9));
    expectBytes(image.subarray(4096, 9096), pattern(5000, 9));
    expectBytes(await connection.read(4096, 5000), pattern(5000, 9));
    expectBytes(await connection.read(4096n, 5000n), pattern(5000, 9));

    const target = Buffer.alloc(6000, 0xff);
    await connection.readInto(target.subarray(500, 5500), 4096);
    const margin = Buffer.alloc(500, 0xff);
    expectBytes(target, Buffer.concat([margin, pattern(5000, 9), margin]));

    const gathered = Buffer.alloc(5000);
    await connection.readPieces(4096, 5000, (piece) => {
      const at = Number(piece.offset) - 4096;
      if (piece.kind === 'data') gathered.set(piece.borrowData(), at);
      else gathered.fill(0, at, at + piece.length);
    });
    expectBytes(gathered, pattern(5000, 9));
    await connection.disconnect();
  });

  test(`T1 T2 ${mode}: each command goes out with its flags, its range, and a payload only with WRITE`, async () => {
    const { served, requests } = memory(mode);
    const connection = await connectToMemory(served);
    await connection.write(0, Buffer.from('data'), { fua: true });
    await connection.flush();
    await connection.trim(512, 512, { fua: true });
    await connection.cache(0, 1024);
    await connection.writeZeroes(4096, 4096, { fua: true, noHole: true, fast: true });
    await connection.writeZeroes(0, 512);
    if (mode !== 'simple') await connection.read(0, 512, { df: true });
    await connection.disconnect();
    const payloadFlag = mode === 'extended' ? CommandFlag.PAYLOAD_LEN : 0;
    const all = CommandFlag.FUA | CommandFlag.NO_HOLE | CommandFlag.FAST_ZERO;
    const wanted = [
      {
        type: Command.WRITE,
        flags: CommandFlag.FUA | payloadFlag,
        offset: 0n,
        length: 4n,
        payload: Buffer.from('data'),
      },
      { type: Command.FLUSH, flags: 0, offset: 0n, length: 0n },
      { type: Command.TRIM, flags: CommandFlag.FUA, offset: 512n, length: 512n },
      { type: Command.CACHE, flags: 0, offset: 0n, length: 1024n },
      { type: Command.WRITE_ZEROES, flags: all, offset: 4096n, length: 4096n },
      { type: Command.WRITE_ZEROES, flags: 0, offset: 0n, length: 512n },
      ...(mode === 'simple' ? [] : [{ type: Command.READ, flags: CommandFlag.DF, offset: 0n, length: 512n }]),
      { type: Command.DISC, flags: 0, offset: 0n, length: 0n },
    ];
    expect(requests).toMatchObject(wanted);
    expect(requests).toHaveLength(wanted.length);
    expect(requests.every(({ extended }) => extended === (mode === 'extended'))).toBe(true);
    expect(new Set(requests.map(({ cookie }) => cookie)).size).toBe(requests.length);
  });

  test(`${mode}: two hundred requests at once, each with its own answer`, async () => {
    const { served } = memory(mode);
    const connection = await connectToMemory(served);
    const offsets = Array.from({ length: 200 }, (_, index) => (index * 7919) % (SIZE - 1000));
    const answers = await Promise.all(offsets.map((offset) => connection.read(offset, 1000)));
    for (const [index, answer] of answers.entries()) {
      const offset = offsets[index] ?? 0;
      expect(answer.equals(served.image.subarray(offset, offset + 1000))).toBe(true);
    }
  });
}

test('T9 a sparse answer comes as holes and data, in the order in which the server sends them', async () => {
  const connection = await connectToScript({ mode: 'structured', sizeBytes: SIZE }, async (peer) => {
    const { cookie, offset } = await peer.readRequest();
    const framing = { extended: false, cookie, offset };
    peer.write(
      offsetData(framing, 600n, Buffer.from('late')),
      fields([32, 0x668e33ef], [16, 0], [16, 2], [64, cookie], [32, 12], [64, 512], [32, 88]),
      offsetData(framing, 604n, Buffer.from('end'), 1),
    );
    await peer.closed();
  });
  const pieces: unknown[] = [];
  await connection.readPieces(512, 95, (piece) => {
    pieces.push(piece.kind === 'hole' ? piece : [piece.offset, piece.copyData().toString()]);
  });
  expect(pieces).toEqual([[600n, 'late'], { kind: 'hole', offset: 512n, length: 88 }, [604n, 'end']]);
});

test('what a taker of pieces throws fails its own READ, and the connection lives on', async () => {
  const { served } = memory('structured');
  const connection = await connectToMemory(served);
  let calls = 0;
  const failing = connection.readPieces(0, 300_000, () => {
    calls += 1;
    throw new Error('no more');
  });
  await expect(failing).rejects.toThrow('no more');
  expect(calls).toBe(1);
  expect(await connection.read(0, 4)).toEqual(served.image.subarray(0, 4));
});

test('an error of the server fails one request by name, and the next is served', async () => {
  const connection = await connectToScript({ mode: 'extended', sizeBytes: SIZE }, async (peer) => {
    const first = await peer.readRequest();
    peer.write(errorChunk({ extended: true, cookie: first.cookie, offset: first.offset }, 28, 'disk full'));
    const second = await peer.readRequest();
    peer.write(none({ extended: true, cookie: second.cookie, offset: second.offset }));
    await peer.closed();
  });
  await expect(connection.write(512, Buffer.alloc(512))).rejects.toMatchObject({
    code: 'NBD_REQUEST_FAILED',
    errorName: 'ENOSPC',
    command: 'WRITE',
    serverMessage: 'disk full',
    offset: undefined,
  });
  await connection.write(512, Buffer.alloc(512));
});

test('a strict connection sends nothing that does not keep to what was negotiated', async () => {
  const { served, requests } = memory('structured', {
    flags: 3,
    blockSize: [512, 4096, 1 << 16],
  });
  const connection = await connectToMemory(served);
  const refused = async (act: Promise<unknown>, fault: string) => {
    await expect(act).rejects.toMatchObject({ code: 'NBD_REQUEST_INVALID', fault });
  };
  await refused(connection.write(0, Buffer.alloc(512)), 'read-only');
  await refused(connection.flush(), 'not-offered');
  await refused(connection.cache(0, 512), 'not-offered');
  await refused(connection.read(0, 0), 'zero-length');
  await refused(connection.read(SIZE, 512), 'out-of-range');
  await refused(connection.read(100, 512), 'misaligned');
  await refused(connection.read(0, (1 << 16) + 512), 'too-long');
  await refused(connection.read(0.5, 512), 'not-a-number');
  await refused(connection.read(-1n, 512), 'not-a-number');
  await refused(connection.read(0, 512, { df: true }), 'not-offered');
  await refused(connection.blockStatus(0, 512), 'not-negotiated');
  await refused(connection.probe({ type: 99, flags: 0, offset: 0, length: 0 }), 'not-negotiated');
  expect(() => connection.extents('base:allocation', SIZE + 1)).toThrow('beyond the end of the export');
  expect(await connection.read(0, 512)).toHaveLength(512);
  expect(requests).toHaveLength(1);
});

test('T2 a connection that is not strict sends what a prober wants, and says what the server did', async () => {
  const { served, requests } = memory('extended', { flags: 3 });
  const connection = await connectToMemory(served, { strict: false, metaContexts: ['base:allocation'] });
  const probe = (request: ProbeRequest) => connection.probe(request);
  await connection.write(0, Buffer.alloc(512), { fua: true });
  await expect(
    probe({ type: 4711, flags: 0xffdf, offset: (1n << 64n) - 1n, length: (1n << 64n) - 2n }),
  ).rejects.toMatchObject({ errorName: 'EINVAL', command: 'command 4711' });
  await probe({ type: Command.READ, flags: 0, offset: 0, length: 512 });
  await probe({ type: Command.BLOCK_STATUS, flags: 0, offset: 0, length: 512 });
  const filter = fields([64, 512], [32, 3]);
  await probe({ type: Command.BLOCK_STATUS, flags: 32, offset: 0, length: filter.length, payload: filter });
  await expect(probe({ type: Command.FLUSH, flags: 32, offset: 0, length: 5 })).rejects.toMatchObject({
    fault: 'bad-payload',
  });
  // Memory is bounded even so (T19).
  await expect(connection.read(0, (1 << 25) + 1)).rejects.toMatchObject({ fault: 'too-long' });
  expect(requests.map(({ type, offset, length }) => [type, offset, length])).toEqual([
    [1, 0n, 512n],
    [4711, (1n << 64n) - 1n, (1n << 64n) - 2n],
    [0, 0n, 512n],
    [7, 0n, 512n],
    [7, 0n, 12n],
  ]);
});

test('an export may be used with `await using`', async () => {
  const { served, requests } = memory('structured');
  {
    await using connection = await connectToMemory(served);
    await connection.read(0, 1);
  }
  expect(requests.map(({ type }) => type)).toEqual([0, 2]);
});
