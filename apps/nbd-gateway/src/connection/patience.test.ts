import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError, type ErrorCode } from '@holdfast/foundation';
import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import { describe, expect, test } from 'vitest';
import { TestGateway } from '../testing/gateway.js';
import { HandshakeClient } from '../testing/handshake-client.js';
import { patiently, patienceOf } from './patience.js';

const { ACK, ERR_PLATFORM, ERR_SHUTDOWN } = OptionReplyType;

/** Fails that often, with one error each time, and then succeeds. */
function failing(times: number, code: ErrorCode = 'SERVICE_UNAVAILABLE') {
  const calls: number[] = [];
  const act = () => {
    calls.push(performance.now());
    return calls.length <= times ? Promise.reject(new HoldfastError(code, 'no')) : Promise.resolve('done');
  };
  return { calls, act };
}

const never = () => false;

describe('patience', () => {
  test.each<ErrorCode>(['SERVICE_UNAVAILABLE', 'WORKER_UNAVAILABLE', 'SHUTTING_DOWN'])(
    '%s passes: it is tried again until it succeeds',
    async (code) => {
      const { calls, act } = failing(2, code);
      expect(await patiently(patienceOf(10_000, never), act)).toBe('done');
      expect(calls).toHaveLength(3);
    },
  );

  test.each<ErrorCode>(['DEVICE_NOT_ATTACHED', 'LEASE_REFUSED', 'LIMIT_REACHED', 'INTERNAL', 'DEVICE_BUSY'])(
    '%s does not pass by itself: it is told at once',
    async (code) => {
      const { calls, act } = failing(1, code);
      await expect(patiently(patienceOf(10_000, never), act)).rejects.toMatchObject({ code });
      expect(calls).toHaveLength(1);
    },
  );

  test('N10 ends before the time for the handshake does', async () => {
    const { act } = failing(Infinity);
    const began = performance.now();
    await expect(patiently(patienceOf(2_000, never), act)).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
    });
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  test('ends when nobody waits any more', async () => {
    const { calls, act } = failing(Infinity);
    const waiting = patiently(
      patienceOf(10_000, () => calls.length === 2),
      act,
    );
    await expect(waiting).rejects.toThrow();
    expect(calls).toHaveLength(2);
  });
});

describe('a client that connects while a service is restarted', () => {
  async function serving(handshakeMs: number) {
    const gateway = await TestGateway.start({ handshakeMs });
    await gateway.publish('disk');
    return { gateway, client: await HandshakeClient.connect({ path: gateway.layout.nbdSocket }) };
  }
  const down = (code: ErrorCode) => () => {
    throw new HoldfastError(code, 'it is being restarted');
  };

  test('waits for the registry, in INFO and in GO, and is served', async () => {
    const { gateway, client } = await serving(10_000);
    gateway.registry.beforeGet = down('SERVICE_UNAVAILABLE');
    gateway.registry.beforeAcquire = down('WORKER_UNAVAILABLE');
    const informed = client.request(Option.INFO, 'disk');
    await delay(250);
    gateway.registry.beforeGet = () => undefined;
    expect((await informed).type).toBe(ACK);
    const served = client.go('disk');
    await delay(250);
    gateway.registry.beforeAcquire = () => undefined;
    expect((await served).type).toBe(ACK);
    expect(gateway.registry.leases.size).toBe(1);
  });

  test('waits for the worker, and leaves no lease of an attempt that failed', async () => {
    const { gateway, client } = await serving(10_000);
    gateway.worker.beforePrepare = down('SERVICE_UNAVAILABLE');
    const served = client.go('disk');
    await delay(250);
    gateway.worker.beforePrepare = () => undefined;
    expect((await served).type).toBe(ACK);
    expect(gateway.registry.leases.size).toBe(1);
    expect(gateway.census.total).toBe(1);
  });

  test('N10 is told before its time is over, and may ask again', async () => {
    const { gateway, client } = await serving(2_000);
    gateway.registry.beforeAcquire = down('WORKER_UNAVAILABLE');
    expect((await client.go('disk')).type).toBe(ERR_PLATFORM);
    expect(gateway.limitsHit.counts.size).toBe(0);
    expect(gateway.census.total).toBe(0);
    gateway.registry.beforeAcquire = () => undefined;
    expect((await client.go('disk')).type).toBe(ACK);
  });

  test('N12 is told when the gateway itself stops', async () => {
    const { gateway, client } = await serving(10_000);
    gateway.registry.beforeAcquire = down('WORKER_UNAVAILABLE');
    const served = client.go('disk');
    await expect.poll(() => gateway.registry.calls.length).toBeGreaterThan(0);
    const stopped = gateway.connections.stop(2_000);
    expect((await served).type).toBe(ERR_SHUTDOWN);
    client.socket.destroy();
    await stopped;
  });
});
