import { mkdtempSync, rmSync } from 'node:fs';
import { NativeBuffer, socketPair, WakeBell } from '@holdfast/linux';
import { Command, CommandFlag } from '@holdfast/nbd-protocol';
import { outstandingOf, PinShard, SHARD_BYTES, ShardView, variantNames } from '@holdfast/pin-ledger';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EventedDevice } from '../engine/evented-device.js';
import { EventLoopEngine } from '../engine/event-loop-engine.js';
import { SessionControl } from '../engine/session-control.js';
import { HELD_LOCKS_BYTES } from '../direct/block-lock.js';
import { AwakeThreads } from '../engine/awake-threads.js';
import { serveBlocking } from '../engine/serve-blocking.js';
import { describeEngines } from '../testing/both-engines.js';
import { DISK_BYTES, EngineScene } from '../testing/engine-scene.js';
import { NbdClient } from '../testing/nbd-client.js';
import { Site, siteName, threadSites } from './pin-sites.js';
import { SessionPins } from './session-pins.js';

const KIB = 1024;
const { READ, WRITE, WRITE_ZEROES, FLUSH } = Command;

/** On tmpfs. */
function memoryFolder(): string {
  const folder = mkdtempSync('/dev/shm/holdfast-');
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

// Every session of every test of an engine is settled as well: see EngineScene.

describeEngines('E10 the account of a session', (engine) => {
  test('balances at rest: each byte read and written was acquired and released once', async () => {
    const { client, account } = new EngineScene(engine()).serve();
    client.send(
      { type: READ, offset: 0, length: 4 * KIB },
      { type: WRITE, offset: 4096, payload: Buffer.alloc(8 * KIB) },
      { type: READ, offset: 512, length: 1 },
      { type: FLUSH },
    );
    for (let count = 0; count < 4; count++) expect((await client.reply()).error).toBe(0);
    await expect.poll(() => account.view.outstandingSegments()).toBe(0);
    const { pinned, referenced } = account.view.totals().variants;
    // The event loop pins for its sends as well; a thread refers to what the page cache has.
    expect(pinned.acquired + referenced.acquired).toBeGreaterThanOrEqual(3);
    expect(pinned.acquiredBytes + referenced.acquiredBytes).toBeGreaterThanOrEqual(12 * KIB + 1);
    for (const { acquired, released, acquiredBytes, releasedBytes } of [pinned, referenced]) {
      expect({ released, releasedBytes }).toEqual({ released: acquired, releasedBytes: acquiredBytes });
    }
  });

  test('E8 has the bytes that came with the socket as handed over', async () => {
    const scene = new EngineScene(engine());
    const preload = Buffer.alloc(28, 0xff);
    const { ended, account } = scene.serve({ preload });
    expect(await ended).toBe('bad-magic');
    expect(account.view.totals().variants.transferred).toEqual({
      acquired: 1,
      released: 1,
      acquiredBytes: 28,
      releasedBytes: 28,
    });
  });

  test('E3 is even after reads that fail, and after a short one', async () => {
    const scene = new EngineScene(engine());
    const { client, account } = scene.serve();
    scene.truncate(2 * KIB);
    client.send({ type: READ, offset: 0, length: 4 * KIB }, { type: READ, offset: 8 * KIB, length: 1 });
    for (let count = 0; count < 2; count++) expect((await client.reply()).error).not.toBe(0);
    await expect.poll(() => account.view.outstandingSegments()).toBe(0);
    expect(account.view.violationCount).toBe(0);
  });

  test('E3 is even when the client leaves with replies unsent', async () => {
    const scene = new EngineScene(engine());
    const { client, ended, account } = scene.serve();
    client.send(...Array.from({ length: 1000 }, () => ({ type: READ, offset: 0, length: 16 * KIB })));
    await expect.poll(() => account.view.outstandingSegments()).toBeGreaterThan(0);
    client.hangUp();
    await ended;
    expect(account.view.outstanding()).toEqual([]);
    const { variants } = account.view.totals();
    expect(variantNames.map((name) => outstandingOf(variants[name]))).toEqual([0, 0, 0]);
  });

  test('can be read at any time, and stops nobody', async () => {
    const scene = new EngineScene(engine());
    const { client, account } = scene.serve();
    const reads = Array.from({ length: 2000 }, (_, i) => ({ type: READ, offset: i * 512, length: 512 }));
    client.send(...reads);
    let looks = 0;
    let isOver = false as boolean;
    const looking = (async () => {
      while (!isOver) {
        const { pinned } = account.view.totals().variants;
        expect(pinned.released).toBeLessThanOrEqual(pinned.acquired);
        expect(account.view.buffer(1).pins).toBeGreaterThanOrEqual(0);
        looks += 1;
        await new Promise(setImmediate);
      }
    })();
    for (const { offset, length } of reads) {
      const { data } = await client.reply();
      expect(data.equals(scene.original(offset, length))).toBe(true);
    }
    isOver = true;
    await looking;
    expect(looks).toBeGreaterThan(1);
    // Pinned to be read into, or referenced where the page cache has them.
    const { pinned, referenced } = account.view.totals().variants;
    expect(pinned.acquired + referenced.acquired).toBeGreaterThanOrEqual(2000);
  });

  test('E6 writes zeroes from one shared buffer, which is referenced and never pinned', async () => {
    // tmpfs cannot zero a range.
    const { client, account } = new EngineScene(engine(), memoryFolder()).serve();
    const flags = CommandFlag.NO_HOLE;
    expect((await client.ask({ type: WRITE_ZEROES, offset: 0, length: DISK_BYTES, flags })).error).toBe(0);
    expect(account.view.totals().variants.referenced).toEqual({
      acquired: 4,
      released: 4,
      acquiredBytes: DISK_BYTES,
      releasedBytes: DISK_BYTES,
    });
  });
});

describe('an asynchronous call', () => {
  /** A device whose reads are answered by the test. */
  function pendingReads() {
    const answers: ((errno: number) => void)[] = [];
    const device = {
      readCached: () => 11,
      read: () =>
        new Promise<number>((resolve) => {
          answers.push(resolve);
        }),
    } as unknown as EventedDevice;
    return { answers, device };
  }

  test('E3 keeps its buffer pinned until it has completed, and by its completion only', async () => {
    const { answers, device } = pendingReads();
    const scene = new EngineScene(new EventLoopEngine());
    const { client, account, ended } = scene.serve({ device });
    client.send({ type: READ, offset: 0, length: 4 * KIB });
    await expect.poll(() => answers.length).toBe(1);
    client.hangUp();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(scene.ledger.outstanding()).toMatchObject([
      { variant: 'pinned', segments: 1, bytes: 4 * KIB, buffer: 1 },
    ]);
    expect(siteName(scene.ledger.outstanding()[0]?.acquireSite ?? -1)).toBe('event-loop.read');
    answers[0]?.(5);
    await ended;
    expect(account.view.outstanding()).toEqual([]);
  });

  test('E3 that fails to be submitted has released what it acquired, and takes its session with it', async () => {
    const scene = new EngineScene(new EventLoopEngine());
    const device = {
      write: () => Promise.reject(new Error('no more calls can be started')),
    } as unknown as EventedDevice;
    const account = scene.ledger.open({ session: 'sessions/test', device: '' });
    const [socket, other] = socketPair();
    const client = new NbdClient(other);
    const serving = new EventLoopEngine().serve({
      ...scene.session(),
      device,
      socket,
      control: new SessionControl(),
      pins: account.memory,
    });
    client.send({ type: WRITE, offset: 0, payload: Buffer.alloc(512) });
    await expect(serving).rejects.toThrow('no more calls');
    expect(scene.ledger.close(account, Site['session.end'])).toEqual([]);
    expect(account.view.totals().variants.pinned).toMatchObject({ acquired: 1, released: 1 });
    socket.close();
    client.hangUp();
  });
});

describe('a violation', () => {
  test('E9 ends the session at its next request', () => {
    const memory = new SharedArrayBuffer(SHARD_BYTES);
    const pins = new SessionPins(memory, threadSites);
    const [socket, other] = socketPair();
    const write = pins.beginWrite(512);
    pins.endWrite(write);
    expect(pins.isBroken).toBe(false);
    pins.endWrite(write);
    const scene = new EngineScene(new EventLoopEngine());
    using bell = new WakeBell();
    const reason = serveBlocking({
      ...scene.session(),
      socket: socket.number,
      bell: bell.number,
      control: new SessionControl(),
      pins,
      threads: new AwakeThreads(),
      heldLocks: new SharedArrayBuffer(HELD_LOCKS_BYTES),
      input: NativeBuffer.allocate(64 * KIB),
      output: NativeBuffer.allocate(64 * KIB),
    });
    expect(reason).toBe('ledger-violation');
    expect(new ShardView(memory).violations()).toMatchObject([
      { kind: 'underflow', acquireSite: threadSites.write, releaseSite: threadSites.written },
    ]);
    socket.close();
    other.close();
  });

  test('E12 buffers that may still be pinned are not lent again', () => {
    const memory = new SharedArrayBuffer(SHARD_BYTES);
    const pins = new SessionPins(memory, threadSites);
    pins.beginRead(4096);
    expect(pins.end()).toBe(true);
    const leaking = new SharedArrayBuffer(SHARD_BYTES);
    const others = new SessionPins(leaking, threadSites);
    others.beginWrite(4096);
    expect(others.end()).toBe(false);
    new PinShard(leaking).settle(threadSites.end);
    expect(new ShardView(leaking).violations()).toMatchObject([
      { kind: 'leak', acquireSite: threadSites.write, releaseSite: threadSites.end, bytes: 4096 },
    ]);
  });
});
