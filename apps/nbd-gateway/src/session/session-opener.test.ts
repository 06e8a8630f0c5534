import { registryV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { gatewayV1 } from '@holdfast/contracts';
import { TransmissionFlag, type Negotiated } from '@holdfast/nbd-protocol';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { clientOver } from '../testing/connected-client.js';
import { TestGateway } from '../testing/gateway.js';
import { DEVICE_BYTES } from '../testing/recording-registry.js';
import type { OpenedSession } from './session-opener.js';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await TestGateway.start();
  await gateway.publish('disk', { description: 'a disk' });
});

const negotiated: Negotiated = { replyMode: 'simple', contexts: [], tls: false };

async function open(name = 'sessions/1', change: Partial<Negotiated> = {}): Promise<OpenedSession> {
  const client = clientOver({ kind: 'tcp', host: '127.0.0.1', port: 1 }, { name });
  const record = await gateway.store.exports.get('disk');
  return gateway.opener.open({ client, record, negotiated: { ...negotiated, ...change } });
}

const conflict = () => new HoldfastError('LEASE_CONFLICT', 'in use: sessions a, b.', { sessions: 'a,b' });

const refused = (message = 'of another epoch') => new HoldfastError('LEASE_REFUSED', message);

describe('opening a session', () => {
  test('Law 2 takes the lease before it asks the worker, under the names that both gave', async () => {
    const order: string[] = [];
    gateway.registry.beforeAcquire = () => order.push('lease');
    gateway.worker.beforePrepare = (request) => {
      order.push('prepare');
      expect(request.token).toHaveLength(16);
      expect(request.workerInstance).toBe('worker-1');
    };
    const { token, description } = await open();
    expect(order).toEqual(['lease', 'prepare']);
    expect(description).toMatchObject({ name: 'disk', description: 'a disk', sizeBytes: DEVICE_BYTES });
    expect(gateway.worker.sessions.get('sessions/1')).toMatchObject({
      export: 'exports/disk',
      attachment: 'devices/disk/attachments/1',
      lease: 1n,
      epoch: 1n,
      readOnly: false,
      clientAddress: '127.0.0.1:1',
      startTime: new Date(1),
    });
    expect((await open('sessions/2')).token).not.toEqual(token);
  });

  test('Law 4 under a lease that has become void is tried once more, under a fresh one', async () => {
    let attempts = 0;
    gateway.worker.beforePrepare = () => {
      if (++attempts === 1) throw refused();
    };
    await open();
    expect(gateway.registry.calls).toEqual(['acquire sessions/1', 'release leases/1', 'acquire sessions/1']);
    expect([...gateway.registry.leases.keys()]).toEqual(['leases/2']);
    expect(gateway.worker.sessions.get('sessions/1')?.lease).toBe(2n);
  });

  test('Law 4 that is refused twice is refused, and leaves neither lease nor session nor count', async () => {
    gateway.worker.beforePrepare = () => {
      throw refused();
    };
    await expect(open()).rejects.toMatchObject({ code: 'LEASE_REFUSED' });
    expect(gateway.worker.calls.filter((call) => call.startsWith('prepare'))).toHaveLength(2);
    expect(gateway.registry.leases.size).toBe(0);
    expect(gateway.census.total).toBe(0);
  });

  test('T18 of an export of another server is what that one offers, at the gateway and at the worker', async () => {
    const remote = {
      transmissionFlags: TransmissionFlag.HAS_FLAGS | TransmissionFlag.SEND_FLUSH,
      blockSizeMinimum: 512,
      blockSizePreferred: 4096,
      payloadMaximum: 65_536,
    };
    const attachment = { name: 'devices/disk/attachments/1', remote };
    gateway.registry.devices.set('devices/disk', registryV1.Device.fromPartial({ attachment }));
    const { description } = await open();
    expect(description.transmissionFlags).toBe(remote.transmissionFlags);
    expect(description.blockSize.minimum).toBe(512);
    expect(gateway.worker.sessions.get('sessions/1')).toMatchObject({ blockSizeMinimum: 512 });
  });

  test('Law 4 of an export of another server is not opened on what an earlier attachment of it offered', async () => {
    const attachment = { name: 'devices/disk/attachments/0', remote: { transmissionFlags: 1 } };
    gateway.registry.devices.set('devices/disk', registryV1.Device.fromPartial({ attachment }));
    await expect(open()).rejects.toMatchObject({ code: 'LEASE_REFUSED' });
    expect(gateway.worker.calls.filter((call) => call.startsWith('prepare'))).toEqual([]);
    expect(gateway.registry.leases.size).toBe(0);
  });

  test('Law 1 whose answer was lost takes the session back before it gives the lease back', async () => {
    gateway.worker.afterPrepare = () => {
      throw new HoldfastError('INTERNAL', 'lost on the way');
    };
    const sessionsAtRelease: number[] = [];
    gateway.registry.beforeRelease = () => sessionsAtRelease.push(gateway.worker.sessions.size);
    await expect(open()).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(sessionsAtRelease).toEqual([0]);
    expect(gateway.worker.sessions.size).toBe(0);
    expect(gateway.registry.leases.size).toBe(0);
  });

  test('that the registry refuses never reaches the worker', async () => {
    gateway.registry.beforeAcquire = () => {
      throw new HoldfastError('DEVICE_NOT_ATTACHED', 'not attached');
    };
    await expect(open()).rejects.toMatchObject({ code: 'DEVICE_NOT_ATTACHED' });
    expect(gateway.worker.calls).toEqual([]);
    expect(gateway.census.total).toBe(0);
  });

  test('with a worker and a registry that both die in between fails once, and throws nothing else', async () => {
    gateway.worker.beforePrepare = async () => {
      gateway.registry.stop();
      await gateway.worker.stop();
    };
    await expect(open()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await expect.poll(() => gateway.census.total).toBe(0);
  });

  test('that is in the way of another waits a moment, and is let in when that has gone', async () => {
    let attempts = 0;
    gateway.registry.beforeAcquire = () => {
      if (++attempts < 3) throw conflict();
    };
    await open();
    expect(attempts).toBe(3);
    expect(gateway.worker.sessions.size).toBe(1);
  });

  test('Law 8 that stays in the way is refused: the client hears nothing of others, the log names them', async () => {
    const warn = vi.spyOn(gateway.logger, 'warn');
    gateway.registry.beforeAcquire = () => {
      throw conflict();
    };
    await expect(open()).rejects.toMatchObject({
      code: 'LEASE_CONFLICT',
      message: 'another client uses the device of export "disk" in a way that excludes this one',
    });
    const facts = { session: 'sessions/1', export: 'disk', sessions: 'a,b' };
    expect(warn).toHaveBeenCalledWith(expect.objectContaining(facts), expect.stringContaining('a, b'));
    expect(gateway.census.total).toBe(0);
  });

  test('asks for the lease that its export leaves to it', async () => {
    await gateway.publish('own', { writers: gatewayV1.Export_Writers.WRITERS_ONE_CONNECTION });
    const client = clientOver({ kind: 'tcp', host: '127.0.0.1', port: 1 });
    const record = await gateway.store.exports.get('own');
    const { description } = await gateway.opener.open({ client, record, negotiated });
    expect([...gateway.registry.leases.values()][0]?.access).toBe(registryV1.Access.ACCESS_EXCLUSIVE);
    expect(description.transmissionFlags & TransmissionFlag.CAN_MULTI_CONN).toBe(0);
  });
});
