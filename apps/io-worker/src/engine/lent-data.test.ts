import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { createLogger } from '@holdfast/service';
import { Command, NbdError } from '@holdfast/nbd-protocol';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { compiledThreadEngine } from '../testing/compiled.js';
import { EngineScene } from '../testing/engine-scene.js';
import { LentData, MAPPED_BYTES_MAX } from './lent-data.js';
import { Loans } from './loans.js';
import type { ThreadEngine } from './thread-engine.js';

const KIB = 1024;
const { READ, WRITE, TRIM, WRITE_ZEROES } = Command;

let engine: ThreadEngine;

beforeAll(async () => {
  const { ThreadEngine: Compiled } = await compiledThreadEngine();
  engine = new Compiled(createLogger('engine', 'silent'));
  await engine.start(1);
});
afterAll(() => engine.stop());

describe('what is in the page cache is lent to replies', () => {
  test('E8 and referenced until they are sent: nothing is pinned, and as much released as acquired', async () => {
    const { client, account } = new EngineScene(engine).serve();
    client.send(...Array.from({ length: 100 }, (_, i) => ({ type: READ, offset: i * 512, length: 4 * KIB })));
    for (let i = 0; i < 100; i++) expect((await client.reply()).error).toBe(0);
    await expect.poll(() => account.view.outstandingSegments()).toBe(0);
    const { pinned, referenced } = account.view.totals().variants;
    expect(pinned.acquired).toBe(0);
    expect(referenced).toMatchObject({ acquired: 100, acquiredBytes: 400 * KIB });
    expect(referenced).toMatchObject({ released: 100, releasedBytes: 400 * KIB });
  });

  test('in replies of every length, more than one send can carry, with errors and writes among them', async () => {
    const scene = new EngineScene(engine);
    const { client } = scene.serve();
    const reads = Array.from({ length: 1500 }, (_, i) => ({
      offset: i * 1021,
      length: 1 + ((i * 37) % 900),
    }));
    client.send(
      ...reads.flatMap(({ offset, length }, i) => [
        { type: READ, offset, length },
        ...(i % 100 === 0 ? [{ type: READ, offset: 2 ** 40, length: 512 }] : []),
        ...(i % 150 === 0 ? [{ type: WRITE, offset: 3 * 1024 * KIB, payload: Buffer.alloc(512) }] : []),
      ]),
    );
    for (const [i, { offset, length }] of reads.entries()) {
      const { error, data } = await client.reply();
      expect(error).toBe(0);
      expect(data.equals(scene.original(offset, length))).toBe(true);
      if (i % 100 === 0) expect((await client.reply()).error).toBe(NbdError.EINVAL);
      if (i % 150 === 0) expect((await client.reply()).error).toBe(0);
    }
  });

  test('T3 and shows what was written before the READ was sent', async () => {
    const { client } = new EngineScene(engine).serve();
    for (let round = 0; round < 50; round++) {
      const payload = Buffer.alloc(4 * KIB, round);
      client.send(
        { type: WRITE, offset: 8 * KIB, payload },
        { type: READ, offset: 8 * KIB, length: 4 * KIB },
      );
      expect((await client.reply()).error).toBe(0);
      expect((await client.reply()).data.equals(payload)).toBe(true);
    }
  });

  test('T10 cut off while it is lent, it ends the session and never the process; the next is answered EIO', async () => {
    const scene = new EngineScene(engine);
    const { client, socket, ended } = scene.serve();
    expect((await client.ask({ type: READ, offset: 128 * KIB, length: 4 * KIB })).error).toBe(0);
    scene.truncate(64 * KIB);
    client.send({ type: READ, offset: 128 * KIB, length: 4 * KIB });
    const reply = expect(client.reply()).rejects.toThrow();
    expect(await ended).toBe('io-error');
    socket.close();
    await reply;
    const { client: next } = scene.serve();
    expect((await next.ask({ type: READ, offset: 128 * KIB, length: 4 * KIB })).error).toBe(NbdError.EIO);
    expect((await next.ask({ type: READ, offset: 0, length: 4 * KIB })).error).toBe(0);
  });
});

describe('a session', () => {
  test('E10 leaves no memory behind that it sent its loans by', async () => {
    setFlagsFromString('--expose_gc');
    const collect = runInNewContext('gc') as () => void;
    const fd = openSync(path.join(temporaryFolder(), 'disk'), 'w+');
    ftruncateSync(fd, 64 * KIB);
    collect();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 300; i++) {
      using loans = new Loans();
      LentData.of(loans, fd, 64 * KIB)?.[Symbol.dispose]();
    }
    const left = () => {
      collect();
      return process.memoryUsage().arrayBuffers - before;
    };
    await expect.poll(left).toBeLessThan(300 * KIB);
    closeSync(fd);
  });

  test('maps so much of a device and no more: what lies behind is read', () => {
    const fd = openSync(path.join(temporaryFolder(), 'disk'), 'w+');
    ftruncateSync(fd, MAPPED_BYTES_MAX + 1024 * KIB);
    for (const offset of [0, MAPPED_BYTES_MAX]) writeSync(fd, Buffer.alloc(256 * KIB), 0, 256 * KIB, offset);
    using loans = new Loans();
    using lent = LentData.of(loans, fd, MAPPED_BYTES_MAX + 1024 * KIB);
    expect(lent?.canLend(0, 4 * KIB)).toBe(true);
    expect(lent?.canLend(MAPPED_BYTES_MAX, 4 * KIB)).toBe(false);
    expect(lent?.canLend(MAPPED_BYTES_MAX - 4 * KIB, 8 * KIB)).toBe(false);
    closeSync(fd);
  });

  test('of a device in tmpfs takes no memory for what was trimmed', async () => {
    const scene = new EngineScene(engine, mkdtempSync('/dev/shm/holdfast-'));
    onTestFinished(() => {
      rmSync(path.dirname(scene.file), { recursive: true });
    });
    const { client } = scene.serve();
    for (const type of [TRIM, WRITE_ZEROES]) {
      const range = { offset: 0, length: 1024 * KIB };
      expect((await client.ask({ type: WRITE, offset: 0, payload: Buffer.alloc(1024 * KIB, 1) })).error).toBe(
        0,
      );
      expect((await client.ask({ type: READ, offset: 0, length: 4 * KIB })).error).toBe(0);
      expect((await client.ask({ type, ...range })).error).toBe(0);
      const trimmed = scene.allocatedBytes();
      for (let offset = 0; offset < range.length; offset += 8 * KIB) {
        const { data } = await client.ask({ type: READ, offset, length: 8 * KIB });
        expect(data.equals(Buffer.alloc(8 * KIB))).toBe(true);
      }
      expect(scene.allocatedBytes()).toBe(trimmed);
    }
  });
});
