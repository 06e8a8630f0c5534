import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { workerV1 } from '@holdfast/contracts';
import type { HoldfastError } from '@holdfast/foundation';
import { Command } from '@holdfast/nbd-protocol';
import { HandoffInbox } from '@holdfast/service';
import { beforeEach, expect, onTestFinished, test, vi, type Mock } from 'vitest';
import type { DescriptorHolding } from '../holding/holding.js';
import { WorkerScene } from '../testing/worker-scene.js';
import { WorkerInstance } from '../worker/worker-instance.js';
import { Gate } from './gate.js';
import { HandoverService, type Successor } from './handover.service.js';

const { READ, WRITE } = Command;

let scene: WorkerScene;
let holding: DescriptorHolding;
let gate: Gate;
let handover: HandoverService;
let ended: Mock<() => void>;
let successorInbox: HandoffInbox;

beforeEach(async () => {
  scene = await WorkerScene.start();
  holding = await scene.hold();
  gate = new Gate();
  ended = vi.fn<() => void>();
  const handoff = path.join(scene.folder, 'next');
  successorInbox = new HandoffInbox(scene.logger);
  await successorInbox.listen(handoff);
  onTestFinished(async () => {
    await successorInbox.close();
    // No process ends in a test: what was left at rest goes on, and is stopped.
    scene.sessions.resumeAll();
  });
  const instance = new WorkerInstance('the-instance');
  handover = new HandoverService(
    gate,
    scene.sessions,
    scene.holdings,
    instance,
    handoff,
    scene.logger,
    ended,
  );
});

/** A new worker that only listens. */
class Listening implements Successor {
  readonly items: workerV1.HandoverItem['item'][] = [];
  reason: HoldfastError | undefined;

  take({ item }: workerV1.HandoverItem): void {
    this.items.push(item);
  }

  callOff(reason: HoldfastError): void {
    this.reason = reason;
  }

  async summary(): Promise<workerV1.HandoverSummary> {
    return await vi.waitUntil(() => {
      const last = this.items.at(-1);
      return last?.$case === 'summary' ? last.value : undefined;
    });
  }
}

async function offered(): Promise<{ successor: Listening; id: string }> {
  const successor = new Listening();
  handover.begin(successor);
  return { successor, id: (await successor.summary()).handover };
}

test('tells of devices before sessions, and of all else at the end', async () => {
  const { client } = await scene.serve('one', holding);
  await client.ask({ type: READ, offset: 0, length: 100 });
  scene.sessions.voidLeasesUpTo(42n);
  const { successor } = await offered();
  expect(successor.items.map((item) => item?.$case)).toEqual(['device', 'session', 'summary']);
  expect(successor.items[1]?.value).toMatchObject({
    session: { name: 'sessions/one', counters: { requests: 1n, bytesRead: 100n }, lease: 100n },
    stopping: false,
  });
  expect(await successor.summary()).toMatchObject({
    workerInstance: 'the-instance',
    voidLeasesUpTo: 42n,
    pid: process.pid,
  });
});

test('passes each descriptor under its token, with what was not decoded', async () => {
  const { client } = await scene.serve('one', holding);
  const request = client.prepare({ type: READ, offset: 0, length: 4 });
  client.socket.write(request.subarray(0, 9));
  await delay(50);
  const { successor, id } = await offered();
  const [device, session] = successor.items;
  if (device?.$case !== 'device' || session?.$case !== 'session') throw new Error('not what was there');
  const claims = [device.value.token, session.value.token].map((token) => successorInbox.claim(token, 1_000));
  await handover.pass(id);
  const [file, socket] = await Promise.all(claims);
  expect(file?.payload).toHaveLength(0);
  expect(socket?.payload).toEqual(request.subarray(0, 9));
  for (const arrival of [file, socket]) arrival?.fd.close();
});

test.each(['the successor leaves', 'the worker is to stop'])(
  'Law 1 until the commit everything goes on when %s',
  async (how) => {
    const { client } = await scene.serve('one', holding);
    expect((await client.ask({ type: WRITE, offset: 0, payload: Buffer.from('a') })).error).toBe(0);
    const { successor, id } = await offered();
    const more = client.ask({ type: WRITE, offset: 1, payload: Buffer.from('bc') });
    const call = gate.pass(() => 'let in');
    await delay(50);
    // Nobody is served meanwhile, and nobody let in.
    expect(scene.content(3)).toBe('ais');
    if (how === 'the successor leaves') handover.left(successor);
    else await handover.stop();
    expect((await more).error).toBe(0);
    expect(await call).toBe('let in');
    expect(scene.content(3)).toBe('abc');
    await expect(handover.commit(id)).rejects.toMatchObject({ code: 'UPGRADE_FAILED' });
    await expect(handover.pass(id)).rejects.toMatchObject({ code: 'UPGRADE_FAILED' });
    expect(ended).not.toHaveBeenCalled();
    if (how === 'the successor leaves') {
      // And may be tried again.
      expect((await offered()).id).not.toBe(id);
    } else {
      const late = new Listening();
      handover.begin(late);
      expect(late.reason?.message).toMatch(/the worker stops$/);
    }
  },
);

test('Law 1 after the commit nothing is done here any more, and the process ends when the successor has left', async () => {
  const { client } = await scene.serve('one', holding);
  const { successor, id } = await offered();
  await handover.commit(id);
  client.send({ type: WRITE, offset: 0, payload: Buffer.from('late') });
  await expect(gate.pass(() => undefined)).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
  await delay(50);
  expect(scene.content(4)).toBe('disk');
  expect(ended).not.toHaveBeenCalled();
  handover.left(successor);
  await vi.waitFor(() => {
    expect(ended).toHaveBeenCalledTimes(1);
  });
});

test('a second one is refused, and does not disturb the first', async () => {
  const { id } = await offered();
  const other = new Listening();
  handover.begin(other);
  expect(other.reason?.message).toMatch(/another upgrade is under way$/);
  handover.left(other);
  await handover.commit(id);
});

test('waits for calls under way and for sockets that are on their way, while others are served', async () => {
  const { client } = await scene.serve('one', holding);
  const token = Buffer.alloc(16, 7);
  await scene.sessions.prepare(scene.definition('two', holding), token);
  let finish: () => void = () => undefined;
  void gate.pass(() => new Promise<void>((resolve) => (finish = resolve)));
  const successor = new Listening();
  handover.begin(successor);
  await delay(50);
  expect((await client.ask({ type: READ, offset: 0, length: 1 })).error).toBe(0);
  finish();
  await delay(50);
  expect((await client.ask({ type: READ, offset: 0, length: 1 })).error).toBe(0);
  expect(successor.items).toEqual([]);
  await scene.passSocket(token);
  await successor.summary();
  expect(successor.items.map((item) => item?.$case)).toEqual(['device', 'session', 'session', 'summary']);
});

test.each(['a call is under way', 'a socket is on its way'])(
  'that is called off while %s leaves nobody at rest',
  async (what) => {
    const { client } = await scene.serve('one', holding);
    let finish: () => void = () => undefined;
    if (what === 'a call is under way') {
      void gate.pass(() => new Promise<void>((resolve) => (finish = resolve)));
    } else await scene.sessions.prepare(scene.definition('two', holding), Buffer.alloc(16, 7));
    const successor = new Listening();
    handover.begin(successor);
    await delay(50);
    handover.left(successor);
    finish();
    scene.sessions.abandon('sessions/two');
    await delay(50);
    expect((await client.ask({ type: READ, offset: 0, length: 1 })).error).toBe(0);
    expect(scene.sessions.list().map(({ state }) => state.kind)).toEqual(['serving']);
    expect(successor.items).toEqual([]);
  },
);
