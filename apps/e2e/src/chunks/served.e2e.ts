import { existsSync } from 'node:fs';
import path from 'node:path';
import { NbdError } from '@holdfast/nbd-protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { balancedLedger } from '../support/balanced-ledger.js';
import { succeed } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { parseFioReport, requireFio, startFio } from '../support/fio.js';
import { makeImage, sha256 } from '../support/image.js';
import { NbdSession, openWhenServed } from '../support/nbd-session.js';
import { hasCommand, isRoot, requirement } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { upgradeWorker } from '../upgrade/upgrade-worker.js';
import { CHUNK_BYTES, ChunkInstance, chunksFrom, ENTRIES } from './chunk-instance.js';

const needs = requirement({
  root: isRoot,
  '/dev/loop-control': existsSync('/dev/loop-control'),
  nbdcopy: hasCommand('nbdcopy'),
});
const SIZE = ENTRIES * CHUNK_BYTES;

describe.skipIf(needs.missing)(`an export of the chunks of a map ${needs.note}`, () => {
  let instance: ChunkInstance;

  beforeAll(async () => {
    instance = await ChunkInstance.start();
  });

  it('is as large as its map, reads as zeroes where it is null, and writes nothing there', async () => {
    await instance.publish('empty');
    const session = await NbdSession.open(instance.holdfast, 'empty');
    expect(session.info.sizeBytes).toBe(BigInt(SIZE));
    expect(await session.read(0, CHUNK_BYTES)).toEqual({ error: 0, data: Buffer.alloc(CHUNK_BYTES) });
    expect((await session.write(4096, Buffer.alloc(512, 1))).error).toBe(NbdError.ENOSPC);
    session.hangUp();
    expect(await instance.does('export', 'show', 'empty')).toMatch(/map: +empty\nfield: +chunk\n/);
  });

  it('C11 nbdcopy copies in, and out again, through chunks in any order', async () => {
    await instance.publish('copied');
    const upsideDown = new Map([...chunksFrom(0)].map(([entry, chunk]) => [entry, ENTRIES - 1 - chunk]));
    await instance.hold('copied', upsideDown);
    const source = makeImage(SIZE);
    const copy = path.join(scratchFolder(), 'copy');
    await succeed('nbdcopy', ['--flush', source, instance.uri('copied')]);
    await succeed('nbdcopy', [instance.uri('copied'), copy]);
    expect(await sha256(copy)).toBe(await sha256(source));
    // What is in entry 0 is in the chunk that it has.
    const session = await NbdSession.open(instance.holdfast, 'copied');
    expect((await session.read(0, 4096)).data).toEqual(instance.chunk(ENTRIES - 1, 4096));
    session.hangUp();
  });

  it.skipIf(requireFio.missing)(`fio verifies what it writes ${requireFio.note}`, async () => {
    const load = { uri: instance.uri('copied'), connections: 2, bytesEach: SIZE / 2, blocks: '4k-256k' };
    const { code, stdout, stderr } = await startFio(load).finished;
    expect(code, stdout + stderr).toBe(0);
    for (const job of parseFioReport(stdout)) expect(job.error).toBe(0);
    await balancedLedger(instance.holdfast);
  });

  it('Law 4 a chunk that moves is what a client reaches from then on, through its connection of before', async () => {
    await instance.publish('moving');
    await instance.hold('moving', chunksFrom(64));
    const session = await openWhenServed(instance.holdfast, 'moving');
    const [a, b] = [Buffer.alloc(CHUNK_BYTES, 'a'), Buffer.alloc(CHUNK_BYTES, 'b')];
    expect((await session.write(0, a)).error).toBe(0);
    expect((await session.write(CHUNK_BYTES, b)).error).toBe(0);
    const swapped = new Map([...chunksFrom(64), [0, 65], [1, 64]] as const);
    await instance.hold('moving', swapped);
    await eventually('the client to reach the other chunk', async () => {
      const { error, data } = await session.read(0, CHUNK_BYTES);
      expect(error).toBe(0);
      return data.equals(b);
    });
    expect((await session.read(CHUNK_BYTES, CHUNK_BYTES)).data).toEqual(a);
    expect((await session.write(0, Buffer.alloc(512, 'c'), { fua: true })).error).toBe(0);
    expect(instance.chunk(65, 512)).toEqual(Buffer.alloc(512, 'c'));
    expect(instance.chunk(64)).toEqual(a);
    session.hangUp();
  });

  it('Law 4 what is freed is out of reach at once, for clients in the middle of writing', async () => {
    await instance.publish('freed');
    await instance.hold('freed', chunksFrom(128));
    const sessions = await Promise.all([1, 2, 3].map(() => openWhenServed(instance.holdfast, 'freed')));
    const chunksNow = () => instance.chunk(128, SIZE);
    let isOver = false;
    const load = sessions.map(async (session, index) => {
      for (let round = 0; !isOver; round += 1) {
        const bytes = Buffer.alloc(CHUNK_BYTES, 1 + ((3 * round + index) % 250));
        const { error } = await session.write((round % ENTRIES) * CHUNK_BYTES, bytes);
        if (error !== 0) return error;
      }
      return 0;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await instance.does('map', 'free', 'freed');
    const before = chunksNow();
    expect(await Promise.all(load)).toEqual([NbdError.ENOSPC, NbdError.ENOSPC, NbdError.ENOSPC]);
    isOver = true;
    for (const session of sessions) {
      expect((await session.read(0, SIZE)).data.equals(Buffer.alloc(SIZE))).toBe(true);
      expect((await session.flush()).error).toBe(0);
      session.hangUp();
    }
    expect(chunksNow().equals(before)).toBe(true);
    await expect(NbdSession.open(instance.holdfast, 'freed')).rejects.toThrow('refused');
    await balancedLedger(instance.holdfast);
  });

  it('is kept from an upgrade of the worker, which names its session', async () => {
    const session = await openWhenServed(instance.holdfast, 'moving');
    await expect(upgradeWorker(instance.holdfast)).rejects.toThrow(/sessions\/.* served chunks/);
    expect((await session.read(0, 512)).error).toBe(0);
    session.hangUp();
  });

  it('is served again after the end of gateway and worker', async () => {
    const { holdfast } = instance;
    const session = await openWhenServed(holdfast, 'moving');
    expect((await session.read(0, 512)).error, 'the worker has it').toBe(0);
    const gateway = holdfast.kill('nbd-gateway');
    await holdfast.restarted('nbd-gateway', gateway);
    expect((await session.read(0, 512)).data, 'goes on without the gateway').toEqual(Buffer.alloc(512, 'c'));
    await holdfast.restarted('io-worker', holdfast.kill('io-worker'));
    await expect(session.read(0, 512)).rejects.toThrow();
    const next = await openWhenServed(holdfast, 'moving');
    expect((await next.read(0, 512)).data).toEqual(Buffer.alloc(512, 'c'));
    next.hangUp();
    await balancedLedger(holdfast);
  });
});
