import { Errno } from '@holdfast/linux';
import { TransmissionFlag, ExtentList } from '@holdfast/nbd-protocol';
import { errorChunk, simpleReply } from '@holdfast/nbd-client/testing/wire';
import { ALL_FLAGS } from '@holdfast/nbd-client/testing/handshake-script';
import { describe, expect, test } from 'vitest';
import { remoteScene } from '../testing/remote-scene.js';
import { UPSTREAM_BYTES } from '../testing/upstream-server.js';

const KIB = 1024;
const FUA = 1;
const NO_HOLE = 2;
const FAST_ZERO = 16;

const lengths = (extents: ExtentList) =>
  Array.from({ length: extents.count }, (_, index) => [extents.lengthAt(index), extents.flagsLowAt(index)]);

describe('requests', () => {
  test('T5 larger than the server takes go there in pieces of whole blocks, and come together again', async () => {
    const { server, io, buffer } = await remoteScene({ blockSize: [512, 4096, 10_000] });
    buffer.bytes.fill('piece ');
    expect(await io.write(buffer, 1024, 64 * KIB, 512, true)).toBe(0);
    expect(server.requests.length).toBe(7);
    for (const { flags, length, offset } of server.requests) {
      expect(flags).toBe(FUA);
      expect(length).toBeLessThanOrEqual(9728n);
      expect([length % 512n, offset % 512n]).toEqual([0n, 0n]);
    }
    const written = Buffer.from(buffer.bytes.subarray(1024, 1024 + 64 * KIB));
    buffer.bytes.fill(0);
    expect(await io.read(buffer, 2048, 64 * KIB, 512)).toBe(0);
    expect(buffer.bytes.subarray(2048, 2048 + 64 * KIB)).toEqual(written);
  });

  test('T14 keep their flags', async () => {
    const { server, io } = await remoteScene();
    expect(await io.zero(0, 512, true, true, true)).toBe(0);
    expect(await io.zero(0, 512, false, false, false)).toBe(0);
    expect(await io.trim(512, 512, true)).toBe(0);
    expect(await io.cache(1024, 512)).toBe(0);
    expect(server.requests.map(({ type, flags, offset }) => [type, flags, offset])).toEqual([
      [6, FUA | NO_HOLE | FAST_ZERO, 0n],
      [6, 0, 0n],
      [4, FUA, 512n],
      [5, 0, 1024n],
    ]);
  });

  test.each([
    ['EPERM', 1],
    ['ENOMEM', 12],
    ['EINVAL', 22],
    ['ENOSPC', 28],
    ['EOVERFLOW', 75],
    ['ENOTSUP', 95],
  ])('T3 that the server refuses with %s fail with it', async (_name, error) => {
    const { server, io, buffer } = await remoteScene();
    server.refuse = ({ cookie, offset }) => errorChunk({ extended: false, cookie, offset }, error);
    expect(await io.write(buffer, 0, 512, 0, false)).toBe(error);
  });

  test('whose answer breaks the protocol fail with EIO and are not sent again; the next connection works', async () => {
    const { server, io, buffer } = await remoteScene();
    let answers = 0;
    server.refuse = () => (answers++ === 0 ? simpleReply(77n) : undefined);
    expect(await io.read(buffer, 0, 512, 0)).toBe(Errno.EIO);
    expect(answers).toBe(1);
    expect(await io.read(buffer, 0, 512, 0)).toBe(0);
  });
});

describe('a FLUSH', () => {
  test('T13 fails once when a connection was lost with answered writes that were not flushed', async () => {
    const { server, io, buffer } = await remoteScene();
    expect(await io.write(buffer, 0, 512, 0, false)).toBe(0);
    server.cutOff();
    await expect.poll(() => server.connections).toBe(1);
    expect(await io.flush()).toBe(Errno.EIO);
    expect(await io.flush()).toBe(0);
  });

  test.each(['trim', 'zero'])('T13 fails once for a lost %s too', async (what) => {
    const { server, io } = await remoteScene();
    expect(await (what === 'trim' ? io.trim(0, 512, false) : io.zero(0, 512, false, false, false))).toBe(0);
    server.cutOff();
    expect(await io.flush()).toBe(Errno.EIO);
  });

  test('T13 that was under way with answered writes before it fails rather than be sent again', async () => {
    const { server, io, buffer } = await remoteScene();
    expect(await io.write(buffer, 0, 512, 0, false)).toBe(0);
    server.onRequest = () => {
      server.cutOff();
    };
    expect(await io.flush()).toBe(Errno.EIO);
    expect(server.types).toEqual([1, 3]);
  });

  test('T13 succeeds when all was flushed, or FUA, before the connection was lost', async () => {
    const { server, io, buffer } = await remoteScene();
    expect(await io.write(buffer, 0, 512, 0, false)).toBe(0);
    expect(await io.flush()).toBe(0);
    expect(await io.write(buffer, 0, 512, 0, true)).toBe(0);
    server.cutOff();
    await expect.poll(() => server.connections).toBe(1);
    expect(await io.flush()).toBe(0);
  });

  test('T13 succeeds when what was lost had not been answered, and was sent again', async () => {
    const { server, io, buffer } = await remoteScene();
    server.onRequest = () => {
      server.onRequest = () => undefined;
      server.cutOff();
    };
    expect(await io.write(buffer, 0, 512, 0, false)).toBe(0);
    expect(server.types).toEqual([1, 1]);
    expect(await io.flush()).toBe(0);
  });

  test('T13 with CAN_MULTI_CONN speaks for the writes of other sessions, and fails for them', async () => {
    const { server, io, buffer, another } = await remoteScene();
    const other = await another();
    expect(await io.write(buffer, 0, 512, 0, false)).toBe(0);
    server.cutOff();
    await expect.poll(() => server.connections).toBe(2);
    expect(await other.io.flush()).toBe(Errno.EIO);
    expect(await io.flush()).toBe(Errno.EIO);
    expect(await other.io.flush()).toBe(0);
  });

  test('T13 without CAN_MULTI_CONN speaks for its own session only', async () => {
    const flags = ALL_FLAGS & ~TransmissionFlag.CAN_MULTI_CONN;
    const { server, io, buffer, another } = await remoteScene({ flags });
    const other = await another();
    expect(await io.write(buffer, 0, 512, 0, false)).toBe(0);
    server.cutOff();
    await expect.poll(() => server.connections).toBe(2);
    expect(await other.io.flush()).toBe(0);
    expect(await io.flush()).toBe(Errno.EIO);
  });
});

describe('extents', () => {
  const map: readonly (readonly [bigint, bigint])[] = [
    [64n * 1024n, 3n],
    [64n * 1024n, 0n],
    [896n * 1024n, 1n | 0x80n],
  ];

  test('T9 are those of the server, in the states that we know', async () => {
    const { io } = await remoteScene({ extentsOf: () => map });
    const extents = new ExtentList();
    expect(await io.extents('base:allocation', UPSTREAM_BYTES, extents, 0, UPSTREAM_BYTES)).toBe(0);
    expect(lengths(extents)).toEqual([
      [64 * KIB, 3],
      [64 * KIB, 0],
      [896 * KIB, 1],
    ]);
  });

  test('T9 that come a few at a time are gathered until the range is covered, also over a loss', async () => {
    const { io, server } = await remoteScene({
      extentsOf: (_name, offset) => [[128n * 1024n, offset === 0n ? 3n : 0n]],
    });
    let asked = 0;
    server.onRequest = () => {
      if (++asked === 3) server.cutOff();
    };
    const extents = new ExtentList();
    expect(await io.extents('base:allocation', UPSTREAM_BYTES, extents, 0, 512 * KIB)).toBe(0);
    expect(extents.coveredBytes).toBe(512 * KIB);
    expect(lengths(extents)[0]).toEqual([128 * KIB, 3]);
  });

  test('T9 are data where the server does not tell them', async () => {
    const { server, io } = await remoteScene({ contexts: {} });
    const extents = new ExtentList();
    expect(await io.extents('base:allocation', UPSTREAM_BYTES, extents, 4096, 512)).toBe(0);
    expect(lengths(extents)).toEqual([[UPSTREAM_BYTES - 4096, 0]]);
    expect(server.requests).toEqual([]);
  });

  test('T5 are asked for in whole blocks of the server', async () => {
    const { server, io } = await remoteScene({ blockSize: [4096, 4096, 65_536] });
    const extents = new ExtentList();
    expect(await io.extents('base:allocation', UPSTREAM_BYTES, extents, 0, 1)).toBe(0);
    expect(server.requests.map(({ offset, length }) => [offset, length % 4096n])).toEqual([[0n, 0n]]);
  });
});
