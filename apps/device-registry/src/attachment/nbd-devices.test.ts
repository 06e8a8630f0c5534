import { registryV1, toDuration } from '@holdfast/contracts';
import { ALL_FLAGS } from '@holdfast/nbd-client/testing/handshake-script';
import { serveMemory } from '@holdfast/nbd-client/testing/memory-export';
import { scriptedServer, type ScriptedServer } from '@holdfast/nbd-client/testing/scripted-server';
import { HoldfastError } from '@holdfast/foundation';
import { beforeEach, describe, expect, test } from 'vitest';
import type { RecordingWorker } from '../testing/recording-worker.js';
import type { TestRegistry } from '../testing/registry.js';
import { startScene, type Scene } from '../testing/scene.js';

const { STATE_ATTACHING, STATE_CONNECTED, STATE_FAILED, STATE_LOST, STATE_RELEASED } =
  registryV1.Attachment_State;
const { VERIFICATION_UNVERIFIED } = registryV1.Attachment_Verification;
const { ON_DISCONNECT_FAIL, ON_DISCONNECT_REPLAY } = registryV1.NbdBacking_OnDisconnect;
const BYTES = 1024 * 1024;

let scene: Scene;
let worker: RecordingWorker;
let registry: TestRegistry;
let server: ScriptedServer;

beforeEach(async () => {
  ({ scene, worker, registry } = await startScene('empty'));
  const served = { mode: 'structured', sizeBytes: BYTES, image: Buffer.alloc(BYTES) } as const;
  server = await scriptedServer((peer) =>
    serveMemory(peer, { ...served, contexts: { 'base:allocation': 1 } }),
  );
});

const create = (uri: string, change: Partial<registryV1.NbdBacking> = {}) =>
  registry.devicesApi.createDevice({
    deviceId: 'far',
    device: registryV1.Device.fromPartial({ backing: { $case: 'nbd', value: { uri, ...change } } }),
  });
const name = 'devices/far';
const attach = () => registry.devicesApi.attachDevice({ name });
const detach = () => registry.devicesApi.detachDevice({ name, drainTimeout: undefined, force: false });
const show = () => registry.devicesApi.getDevice({ name });

describe('an export of another NBD server', () => {
  test('is registered as it was given, with what was left out', async () => {
    expect((await create(server.uri)).backing).toEqual({
      $case: 'nbd',
      value: { uri: server.uri, onDisconnect: ON_DISCONNECT_REPLAY, reconnectTimeout: toDuration(60_000) },
    });
    expect(server.connections).toEqual([]);
    await expect(create(server.uri, { onDisconnect: ON_DISCONNECT_FAIL })).rejects.toMatchObject({
      code: 'DEVICE_EXISTS',
    });
  });

  test('D2 is attached by what it offers: unverified, without an identity; and the worker is told all of it', async () => {
    const { backing } = await create(server.uri, { reconnectTimeout: toDuration(1500) });
    const { attachment } = await attach();
    const offer = {
      transmissionFlags: ALL_FLAGS,
      blockSizeMinimum: 1,
      blockSizePreferred: 4096,
      payloadMaximum: 32 * BYTES,
      baseAllocation: true,
    };
    expect(attachment).toMatchObject({
      state: STATE_CONNECTED,
      verification: VERIFICATION_UNVERIFIED,
      sizeBytes: BigInt(BYTES),
      remote: offer,
    });
    expect(attachment?.identity).toBeUndefined();
    const [held] = [...worker.holdings.values()];
    expect(held?.message.device).toEqual({ $case: 'remote', value: { backing: backing?.value, offer } });
    expect(worker.resumed).toEqual([false]);
    expect(registry.holds.size).toBe(0);
    expect((await detach()).device?.attachment?.state).toBe(STATE_RELEASED);
    expect(worker.holdings.size).toBe(0);
  });

  test('D3 has no diskseq: one that is expected is refused, before anybody connects', async () => {
    await create(server.uri);
    const refused = registry.devicesApi.attachDevice({ name, expectedDiskseq: '1f' });
    await expect(refused).rejects.toMatchObject({ code: 'DEVICE_IDENTITY_MISMATCH' });
    expect(server.connections).toEqual([]);
  });

  test('that cannot be reached is FAILED, with the reason, and may be attached later', async () => {
    await create('nbd+unix:///x?socket=/nowhere/nbd.sock');
    await expect(attach()).rejects.toMatchObject({ code: 'NBD_SERVER_UNREACHABLE' });
    expect((await show()).attachment).toMatchObject({
      state: STATE_FAILED,
      errorReason: 'NBD_SERVER_UNREACHABLE',
    });
  });

  test('that the worker cannot reach, or finds to be another, is FAILED', async () => {
    await create(server.uri);
    worker.before.adopt = () => {
      throw new HoldfastError('DEVICE_IDENTITY_MISMATCH', 'it is another one');
    };
    await expect(attach()).rejects.toMatchObject({ code: 'DEVICE_IDENTITY_MISMATCH' });
    expect((await show()).attachment).toMatchObject({ state: STATE_FAILED });
  });

  test('D10 is never lost: a worker that comes back gets it from the record', async () => {
    await create(server.uri);
    await attach();
    await worker.die();
    worker = await scene.worker();
    await expect.poll(() => worker.resumed).toEqual([true]);
    expect((await show()).attachment).toMatchObject({ state: STATE_CONNECTED, epoch: 1n });
  });

  test('D10 is never lost: not even when registry and worker both died', async () => {
    await create(server.uri);
    await attach();
    await registry.die();
    await worker.die();
    worker = await scene.worker();
    registry = await scene.registry();
    await registry.linked('up');
    expect(worker.resumed).toEqual([true]);
    expect((await show()).attachment).toMatchObject({ state: STATE_CONNECTED, epoch: 1n });
  });

  test('D5 that is attached by hand only is lost with the worker, and says why it stays so', async () => {
    const reattachment = registryV1.Device_Reattachment.REATTACHMENT_MANUAL;
    await registry.devicesApi.createDevice({
      deviceId: 'far',
      device: registryV1.Device.fromPartial({
        backing: { $case: 'nbd', value: { uri: server.uri } },
        reattachment,
      }),
    });
    await attach();
    await worker.die();
    worker = await scene.worker();
    await expect
      .poll(async () => (await show()).attachment)
      .toMatchObject({ state: STATE_LOST, errorReason: 'REATTACHMENT_WITHHELD' });
    expect(worker.resumed).toEqual([]);
    expect((await attach()).attachment).toMatchObject({ state: STATE_CONNECTED, epoch: 2n });
  });

  test('that does not answer does not keep the registry from being ready', async () => {
    const deaf = await scriptedServer(() => new Promise(() => undefined));
    await create(deaf.uri);
    await registry.store.devices.setWanted('far', true);
    await registry.die();
    await worker.die();
    worker = await scene.worker();
    const started = performance.now();
    registry = await scene.registry();
    expect(performance.now() - started).toBeLessThan(5_000);
    await expect.poll(() => deaf.connections.length).toBeGreaterThan(0);
    expect((await show()).attachment?.state).toBe(STATE_ATTACHING);
  });

  test('D10 is left with a worker that has it when the registry comes back', async () => {
    await create(server.uri);
    await attach();
    await registry.die();
    registry = await scene.registry();
    await registry.linked('up');
    expect(worker.resumed).toEqual([false]);
    expect((await show()).attachment).toMatchObject({ state: STATE_CONNECTED, epoch: 1n });
  });

  test('may be attached under several names: nothing tells that it is one', async () => {
    await create(server.uri);
    await attach();
    const again = registryV1.Device.fromPartial({ backing: { $case: 'nbd', value: { uri: server.uri } } });
    await registry.devicesApi.createDevice({ deviceId: 'again', device: again });
    const { attachment } = await registry.devicesApi.attachDevice({ name: 'devices/again' });
    expect(attachment?.state).toBe(STATE_CONNECTED);
  });
});

test.each([
  ['device.nbd.uri', 'nbd://host/x?socket=/s', {}],
  ['device.nbd.uri', 'http://host/x', {}],
  ['device.nbd.uri', '', {}],
  ['device.nbd.uri', 'nbd+unix:///x?socket=relative', {}],
  ['device.nbd.uri', 'nbds://host/x?tls-certificates=pki', {}],
  ['device.nbd.uri', `nbd://host/${'x'.repeat(16_384)}`, {}],
  ['device.nbd.reconnect_timeout', 'nbd://host/x', { reconnectTimeout: toDuration(3_600_001) }],
  ['device.nbd.reconnect_timeout', 'nbd://host/x', { reconnectTimeout: toDuration(-1000) }],
  ['device.nbd.on_disconnect', 'nbd://host/x', { onDisconnect: 99 as never }],
])('Law 5 a bad %s is refused by its name (case %#)', async (field, uri, change) => {
  await expect(create(uri, change)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', metadata: { field } });
});
