import { randomBytes } from 'node:crypto';
import { workerV1 } from '@holdfast/contracts';
import { DEFAULT_BLOCK_SIZE, NbdError, Command } from '@holdfast/nbd-protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { Gate } from '../handover/gate.js';
import { HoldingController } from '../holding/holding.controller.js';
import type { Holding } from '../holding/holding.js';
import { WorkerScene } from '../testing/worker-scene.js';
import { WorkerInstance } from '../worker/worker-instance.js';
import { SessionController } from './session.controller.js';

const instance = new WorkerInstance('this-worker');

const { REPLY_MODE_EXTENDED } = workerV1.ReplyMode;
const allocation = { id: 7, name: 'base:allocation' };
const depth = { id: 2 ** 32 - 1, name: 'qemu:allocation-depth' };
const seventeen = Array.from({ length: 17 }, (_, id) => ({ ...allocation, id }));

let scene: WorkerScene;
let holding: Holding;
let api: SessionController;
let holdingsApi: HoldingController;

beforeEach(async () => {
  scene = await WorkerScene.start();
  holding = await scene.hold();
  const gate = new Gate();
  api = new SessionController(scene.sessions, scene.holdings, instance, gate);
  holdingsApi = new HoldingController(scene.holdings, scene.sessions, instance, gate);
});

function request(
  name: string,
  session: Partial<workerV1.Session> = {},
  change: Partial<workerV1.PrepareSessionRequest> = {},
): workerV1.PrepareSessionRequest {
  return {
    session: workerV1.Session.fromPartial({
      name: `sessions/${name}`,
      export: 'exports/disk',
      attachment: holding.attachment,
      lease: 1n,
      epoch: holding.epoch,
      blockSizeMinimum: DEFAULT_BLOCK_SIZE.minimum,
      payloadMaximum: DEFAULT_BLOCK_SIZE.payloadMaximum,
      ...session,
    }),
    token: randomBytes(16),
    workerInstance: instance.name,
    ...change,
  };
}

describe('preparing a session', () => {
  test.each([
    { what: 'another worker process', change: { workerInstance: 'an-older-worker' }, session: {} },
    { what: 'an older epoch', change: {}, session: { epoch: 0n } },
    { what: 'a newer epoch', change: {}, session: { epoch: 2n } },
    { what: 'a device that is not held', change: {}, session: { attachment: 'devices/x/attachments/y' } },
  ])('Law 4 under a lease of $what is refused', async ({ change, session }) => {
    await expect(api.prepareSession(request('one', session, change))).rejects.toMatchObject({
      code: 'LEASE_REFUSED',
    });
    expect(scene.sessions.list()).toEqual([]);
  });

  test.each([
    { field: 'session.name', session: { name: 'no-session' }, change: {} },
    { field: 'session.block_size_minimum', session: { blockSizeMinimum: 0 }, change: {} },
    { field: 'session.block_size_minimum', session: { blockSizeMinimum: 3 }, change: {} },
    { field: 'session.block_size_minimum', session: { blockSizeMinimum: 131_072 }, change: {} },
    { field: 'session.block_size_minimum', session: { blockSizeMinimum: 2 ** 31 }, change: {} },
    { field: 'session.payload_maximum', session: { blockSizeMinimum: 512, payloadMaximum: 511 }, change: {} },
    { field: 'session.reply_mode', session: { replyMode: 4 as workerV1.ReplyMode }, change: {} },
    { field: 'session.meta_contexts', session: { metaContexts: [allocation] }, change: {} },
    {
      field: 'session.meta_contexts',
      session: {
        replyMode: REPLY_MODE_EXTENDED,
        metaContexts: [allocation, { ...depth, id: allocation.id }],
      },
      change: {},
    },
    {
      field: 'session.meta_contexts',
      session: { replyMode: REPLY_MODE_EXTENDED, metaContexts: [{ id: 1, name: 'x-other:thing' }] },
      change: {},
    },
    {
      field: 'session.meta_contexts',
      session: { replyMode: REPLY_MODE_EXTENDED, metaContexts: seventeen },
      change: {},
    },
    { field: 'token', session: {}, change: { token: randomBytes(15) } },
  ])('Law 5 with a bad $field is refused by its name (case %#)', async ({ field, session, change }) => {
    await expect(api.prepareSession(request('one', session, change))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      metadata: { field },
    });
    expect(scene.sessions.list()).toEqual([]);
  });

  test.each([
    { asked: workerV1.ReplyMode.REPLY_MODE_UNSPECIFIED, shown: workerV1.ReplyMode.REPLY_MODE_SIMPLE },
    { asked: workerV1.ReplyMode.REPLY_MODE_STRUCTURED, shown: workerV1.ReplyMode.REPLY_MODE_STRUCTURED },
    { asked: REPLY_MODE_EXTENDED, shown: REPLY_MODE_EXTENDED },
  ])('T8 shows how it replies ($asked is $shown), and its contexts', async ({ asked, shown }) => {
    const metaContexts = asked === workerV1.ReplyMode.REPLY_MODE_UNSPECIFIED ? [] : [depth, allocation];
    const prepared = await api.prepareSession(request('one', { replyMode: asked, metaContexts }));
    expect(prepared).toMatchObject({ replyMode: shown, metaContexts, tls: false });
  });

  test('shows that the gateway carries it through TLS', async () => {
    expect(await api.prepareSession(request('one', { tls: true }))).toMatchObject({ tls: true });
  });

  test('of nothing is refused', async () => {
    const nothing = { session: undefined, token: new Uint8Array(), workerInstance: instance.name };
    await expect(api.prepareSession(nothing)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('T18 of a device that is held for reading only makes it read-only, whatever was asked', async () => {
    const readOnly = await scene.hold({ attachment: 'devices/cd/attachments/1', readOnly: true });
    const asked = request('one', { attachment: readOnly.attachment, readOnly: false });
    expect((await api.prepareSession(asked)).readOnly).toBe(true);
    const client = await scene.passSocket(Buffer.from(asked.token));
    const write = { type: Command.WRITE, offset: 0, payload: Buffer.from('x') };
    expect((await client.ask(write)).error).toBe(NbdError.EPERM);
  });

  test('of a device that was opened for writing can be read-only', async () => {
    expect((await api.prepareSession(request('one', { readOnly: true }))).readOnly).toBe(true);
    expect((await api.prepareSession(request('two'))).readOnly).toBe(false);
  });
});

test('sessions are listed by name, page by page, with what they have done', async () => {
  for (const name of ['c', 'a', 'b'])
    await api.prepareSession(request(name, { lease: BigInt(name.charCodeAt(0)) }));
  const first = api.listSessions({ pageSize: 2, pageToken: '' });
  expect(first.sessions.map(({ name }) => name)).toEqual(['sessions/a', 'sessions/b']);
  const rest = api.listSessions({ pageSize: 2, pageToken: first.nextPageToken });
  expect(rest.sessions.map(({ name }) => name)).toEqual(['sessions/c']);
  expect(rest.nextPageToken).toBe('');
  expect(rest.sessions[0]).toMatchObject({
    engine: '',
    lease: 99n,
    epoch: 1n,
    attachment: holding.attachment,
  });
  const { client } = await scene.serve('served', holding);
  await client.ask({ type: Command.READ, offset: 0, length: 100 });
  client.send({ type: Command.READ, offset: 0, length: 1 });
  await client.reply();
  const served = () =>
    api.listSessions({ pageSize: 0, pageToken: '' }).sessions.find(({ engine }) => engine !== '');
  await expect
    .poll(() => served()?.counters)
    .toEqual({
      requests: 2n,
      bytesRead: 101n,
      bytesWritten: 0n,
      errors: 0n,
      lastRequestTime: expect.any(Date) as Date,
    });
});

test('Law 1 whoever watches is greeted once descriptors can come, and told of every end', async () => {
  const events: workerV1.SessionEvent[] = [];
  const subscription = api.watchSessions().subscribe((event) => events.push(event));
  await expect.poll(() => events).toEqual([{ workerInstance: 'this-worker', ended: undefined, reason: '' }]);
  await api.prepareSession(request('one', { lease: 2n ** 63n }));
  api.abandonSession({ name: 'sessions/one' });
  await expect.poll(() => events.length).toBe(2);
  expect(events[1]).toMatchObject({
    workerInstance: 'this-worker',
    reason: 'abandoned',
    ended: { name: 'sessions/one', lease: 2n ** 63n },
  });
  subscription.unsubscribe();
});

describe('reconciling', () => {
  test('Law 4 tells what is held and used, and voids the leases that are not', async () => {
    await api.prepareSession(request('one', { lease: 7n }));
    const report = await holdingsApi.reconcile({ voidLeasesUpTo: 10n, voidUnclaimed: false });
    expect(report.workerInstance).toBe('this-worker');
    expect(report.holdings.map(({ attachment, epoch }) => ({ attachment, epoch }))).toEqual([
      { attachment: holding.attachment, epoch: 1n },
    ]);
    expect(report.liveLeases).toEqual([7n]);
    await expect(api.prepareSession(request('two', { lease: 10n }))).rejects.toMatchObject({
      code: 'LEASE_REFUSED',
      message: 'lease 10 was voided',
    });
    await api.prepareSession(request('three', { lease: 11n }));
  });

  test('Law 5 a device is adopted under the name of an attachment, with a whole token', async () => {
    const named = { ...(await report()), attachment: 'disk' };
    await expect(
      holdingsApi.adoptDevice({ token: randomBytes(16), holding: named, resumed: false }),
    ).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      metadata: { field: 'holding.attachment' },
    });
    await expect(
      holdingsApi.adoptDevice({ token: randomBytes(17), holding: await report(), resumed: false }),
    ).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      metadata: { field: 'token' },
    });
  });

  async function report(): Promise<workerV1.Holding> {
    const { holdings } = await holdingsApi.reconcile({ voidLeasesUpTo: 0n, voidUnclaimed: false });
    const [held] = holdings;
    if (held === undefined) throw new Error('nothing is held');
    return held;
  }
});
