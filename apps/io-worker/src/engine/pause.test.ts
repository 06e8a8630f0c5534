import { setTimeout as delay } from 'node:timers/promises';
import { byteCount } from '@holdfast/foundation';
import { HANDOFF_PAYLOAD_MAX, socketPair, type OwnedFd } from '@holdfast/linux';
import { advertisedFlags, Command, DEFAULT_BLOCK_SIZE } from '@holdfast/nbd-protocol';
import { expect, onTestFinished, test } from 'vitest';
import { Site } from '../pins/pin-sites.js';
import { SharedLimit } from '../rate/shared-limit.js';
import { describeEngines } from '../testing/both-engines.js';
import { DISK_BYTES, EngineScene, patternByte } from '../testing/engine-scene.js';
import { NbdClient } from '../testing/nbd-client.js';
import type { Engine } from './engine.js';
import { EventLoopEngine } from './event-loop-engine.js';
import { SessionControl } from './session-control.js';

const { READ, WRITE, FLUSH } = Command;
const KIB = 1024;

/** Longer than anything takes that need not wait. */
const MOMENT_MS = 100;

/** A session that is served, paused, and served again, over one socket. */
class Paused {
  readonly control = new SessionControl();
  readonly client: NbdClient;
  readonly #socket: OwnedFd;

  constructor(
    readonly engine: Engine,
    readonly scene: EngineScene,
  ) {
    const [socket, other] = socketPair();
    this.#socket = socket;
    this.client = new NbdClient(other);
    onTestFinished(() => {
      this.client.hangUp();
    });
  }

  async serve(limit?: SharedLimit) {
    this.control.cancelPause();
    const account = this.scene.ledger.open({ session: 'paused', device: 'disk' });
    const outcome = await this.engine.serve({
      socket: this.#socket,
      device: this.scene.fd,
      facts: {
        sizeBytes: byteCount(DISK_BYTES),
        transmissionFlags: advertisedFlags({ readOnly: false }),
        blockSizeMinimum: DEFAULT_BLOCK_SIZE.minimum,
        payloadMaximum: DEFAULT_BLOCK_SIZE.payloadMaximum,
        replyMode: 'simple',
        metaContexts: [],
      },
      preload: Buffer.from(this.control.undecoded),
      control: this.control,
      pins: account.memory,
      limit,
    });
    // Whoever rests relies on nothing: another process may go on.
    expect(this.scene.ledger.close(account, Site['session.end'])).toEqual([]);
    return outcome;
  }
}

describeEngines('a pause', (engine) => {
  const start = () => new Paused(engine(), new EngineScene(engine()));

  test('of a silent session comes at once, and its client notices nothing', async () => {
    const session = start();
    const { client, control } = session;
    const before = session.serve();
    expect((await client.ask({ type: READ, offset: 7, length: 1 })).data[0]).toBe(patternByte(7));
    await delay(MOMENT_MS);
    control.requestPause();
    expect(await before).toBe('paused');
    expect(control.undecoded).toHaveLength(0);
    const reply = client.ask({ type: READ, offset: 9, length: 1 });
    const after = session.serve();
    expect((await reply).data[0]).toBe(patternByte(9));
    client.hangUp();
    expect(await after).toBe('end-of-stream');
    expect(control.counters).toMatchObject({ requests: 2, bytesRead: 2, errors: 0 });
  });

  test('of a session whose client has sent a part of a request keeps that part', async () => {
    const session = start();
    const { client, control } = session;
    const before = session.serve();
    const bytes = client.prepare({ type: READ, offset: 11, length: 2 });
    client.socket.write(bytes.subarray(0, 13));
    await delay(MOMENT_MS);
    control.requestPause();
    expect(await before).toBe('paused');
    expect(Buffer.from(control.undecoded)).toEqual(bytes.subarray(0, 13));
    const after = session.serve();
    client.socket.write(bytes.subarray(13));
    expect((await client.reply()).data).toEqual(Buffer.of(patternByte(11), patternByte(12)));
    client.hangUp();
    expect(await after).toBe('end-of-stream');
  });

  test('waits for the payload of a WRITE, however late it comes', async () => {
    const session = start();
    const { client, control, scene } = session;
    const before = session.serve();
    const payload = Buffer.alloc(300 * KIB, 'payload ');
    const bytes = client.prepare({ type: WRITE, offset: 0, payload });
    client.socket.write(bytes.subarray(0, 100 * KIB));
    await delay(MOMENT_MS);
    control.requestPause();
    expect(await Promise.race([before, delay(MOMENT_MS, 'not yet')])).toBe('not yet');
    client.socket.write(bytes.subarray(100 * KIB));
    expect(await before).toBe('paused');
    expect((await client.reply()).error).toBe(0);
    expect(scene.content(0, payload.length).equals(payload)).toBe(true);
    expect(control.counters).toMatchObject({ requests: 1, bytesWritten: payload.length });
    client.hangUp();
  });

  test('of a session that is never idle comes all the same, and no request is lost or done twice', async () => {
    const session = start();
    const { client, control } = session;
    const pauses = 20;
    const count = 4_000;
    let outcome = session.serve();
    const answered = (async () => {
      for (let i = 0; i < count; i++) {
        const { error, cookie } = await client.reply();
        expect([error, cookie]).toEqual([0, BigInt(i)]);
      }
    })();
    let sent = 0;
    for (let pause = 0; pause < pauses; pause++) {
      for (; sent < (count * (pause + 1)) / pauses; sent++) {
        const payload = Buffer.alloc(512, sent);
        client.send({ type: WRITE, offset: 512 * (sent % 1000), payload, cookie: BigInt(sent) });
      }
      await new Promise(setImmediate);
      control.requestPause();
      expect(await outcome).toBe('paused');
      outcome = session.serve();
    }
    await answered;
    client.hangUp();
    expect(await outcome).toBe('end-of-stream');
    expect(control.counters).toMatchObject({ requests: count, bytesWritten: 512 * count, errors: 0 });
  });

  test('that is called off before it came changes nothing', async () => {
    const session = start();
    const { client, control } = session;
    const outcome = session.serve();
    const bytes = client.prepare({ type: WRITE, offset: 0, payload: Buffer.from('abcd') });
    client.socket.write(bytes.subarray(0, 30));
    await delay(MOMENT_MS);
    control.requestPause();
    await delay(MOMENT_MS);
    control.cancelPause();
    client.socket.write(bytes.subarray(30));
    expect((await client.reply()).error).toBe(0);
    expect((await client.ask({ type: FLUSH })).error).toBe(0);
    client.hangUp();
    expect(await outcome).toBe('end-of-stream');
  });

  test('of a session that its rate holds back comes at once, and what had come is done', async () => {
    const session = start();
    const { client, control } = session;
    const limit = new SharedLimit();
    limit.set({ iops: 1, bytesPerSecond: 0, burstMs: 1_000 });
    const outcome = session.serve(limit);
    // At once: what has not been received when the pause comes stays in the socket.
    client.send(...Array.from({ length: 20 }, (_, i) => ({ type: READ, offset: i, length: 1 })));
    expect((await client.reply()).data[0]).toBe(patternByte(0));
    control.requestPause();
    const begin = performance.now();
    expect(await outcome).toBe('paused');
    expect(performance.now() - begin).toBeLessThan(5_000);
    for (let i = 1; i < 20; i++) expect((await client.reply()).data[0]).toBe(patternByte(i));
    client.hangUp();
  });

  test('does not outlive a client that has hung up', async () => {
    const session = start();
    const { client, control } = session;
    const before = session.serve();
    expect((await client.ask({ type: FLUSH })).error).toBe(0);
    control.requestPause();
    expect(await before).toBe('paused');
    client.hangUp();
    expect(await session.serve()).toBe('end-of-stream');
  });
});

test('on the event loop, what is read ahead fits beside a descriptor, however much a client sends', async () => {
  const engine = new EventLoopEngine();
  const session = new Paused(engine, new EngineScene(engine));
  const { client, control } = session;
  const payload = Buffer.alloc(256 * KIB, 'much ');
  const count = 200;
  let outcome = session.serve();
  for (let i = 0; i < count; i++) client.send({ type: WRITE, offset: 0, payload });
  const answered = (async () => {
    for (let i = 0; i < count; i++) expect((await client.reply()).error).toBe(0);
  })();
  for (let pause = 0; pause < 20; pause++) {
    await delay(5);
    control.requestPause();
    expect(await outcome).toBe('paused');
    expect(control.undecoded.length).toBeLessThanOrEqual(HANDOFF_PAYLOAD_MAX);
    outcome = session.serve();
  }
  await answered;
  client.hangUp();
  expect(await outcome).toBe('end-of-stream');
  expect(control.counters).toMatchObject({ requests: count, bytesWritten: count * payload.length });
});
