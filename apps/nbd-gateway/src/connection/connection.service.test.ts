import { once } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { counted, HoldfastError } from '@holdfast/foundation';
import { encodeOption, Option, OptionReplyType } from '@holdfast/nbd-protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { TestGateway } from '../testing/gateway.js';
import { HandshakeClient, infoRequest } from '../testing/handshake-client.js';

const { ACK } = OptionReplyType;
const where = (gateway: TestGateway) => ({ path: gateway.layout.nbdSocket });

async function serving(change = {}): Promise<TestGateway> {
  const gateway = await TestGateway.start(change);
  await gateway.publish('disk');
  return gateway;
}

const calls = (gateway: TestGateway) => gateway.worker.calls.map((call) => call.split(' ')[0]);

describe('a client that was answered', () => {
  test('is passed to the worker connected as it is, over TCP and Unix, with what it sent early', async () => {
    const gateway = await serving();
    const tcp = { host: '127.0.0.1', port: gateway.endpoints.tcp?.port ?? 0 };
    for (const place of [tcp, where(gateway)]) {
      const client = await HandshakeClient.connect(place);
      client.socket.write(
        Buffer.concat([encodeOption(Option.GO, infoRequest('disk')), Buffer.from('early')]),
      );
      const arrival = await vi.waitUntil(() => [...gateway.worker.arrivals.values()].at(-1), {
        timeout: 5_000,
      });
      expect(arrival.payload.toString()).toBe('early');
      const socket = new Socket({ fd: arrival.fd.release(), readable: true, writable: true });
      onTestFinished(() => {
        socket.destroy();
      });
      client.socket.write('later');
      const [later] = (await once(socket, 'data')) as [Buffer];
      expect(later.toString()).toBe('later');
      gateway.worker.arrivals.clear();
    }
    await expect.poll(() => gateway.connections.negotiating()).toEqual([]);
    expect(gateway.worker.calls.filter((call) => call.startsWith('abandon'))).toEqual([]);
  });

  test('and cannot be passed on is disconnected, and its session taken back', async () => {
    const gateway = await serving();
    await gateway.worker.closeInbox();
    const client = await HandshakeClient.connect(where(gateway));
    expect((await client.go('disk')).type).toBe(ACK);
    expect(await client.isOver()).toBe(true);
    await expect.poll(() => calls(gateway)).toEqual(['prepare', 'abandon']);
    await expect.poll(() => gateway.census.total).toBe(0);
    expect(gateway.connections.negotiating()).toEqual([]);
  });

  test.each(['reset', 'closed'])(
    'and has %s its connection by then leaves no session behind',
    async (how) => {
      const gateway = await serving();
      const tcp = { host: '127.0.0.1', port: gateway.endpoints.tcp?.port ?? 0 };
      const client = await HandshakeClient.connect(how === 'reset' ? tcp : where(gateway));
      gateway.worker.afterPrepare = () => {
        if (how === 'reset') client.socket.resetAndDestroy();
        else client.socket.destroy();
        return delay(50);
      };
      client.socket.write(encodeOption(Option.GO, infoRequest('disk')));
      await expect.poll(() => calls(gateway)).toEqual(['prepare', 'abandon']);
      await expect.poll(() => gateway.census.total).toBe(0);
      expect(gateway.worker.arrivals.size).toBe(0);
    },
  );
});

describe('N10 a bound', () => {
  test('of time ends a handshake that is not over, and is counted', async () => {
    const gateway = await serving({ handshakeMs: 150 });
    const client = await HandshakeClient.connect(where(gateway));
    expect(await client.isOver()).toBe(true);
    expect(gateway.limitsHit.counts.get('handshake-time')).toBe(1);
    await expect.poll(() => gateway.connections.negotiating()).toEqual([]);
  });

  test('of time does not touch a client that was answered in time', async () => {
    const gateway = await serving({ handshakeMs: 300 });
    const client = await HandshakeClient.connect(where(gateway));
    expect((await client.go('disk')).type).toBe(ACK);
    await vi.waitUntil(() => gateway.worker.arrivals.size === 1);
    await delay(400);
    expect(gateway.limitsHit.counts.size).toBe(0);
    expect(client.socket.destroyed).toBe(false);
  });

  test('of connections counts those in the handshake and those at the worker, each once', async () => {
    const gateway = await serving({ connectionsMax: 3 });
    gateway.worker.put('sessions/of-an-earlier-gateway', 'exports/disk');
    gateway.worker.breakStream();
    await expect.poll(() => gateway.census.total).toBe(1);
    const served = await HandshakeClient.connect(where(gateway));
    expect((await served.go('disk')).type).toBe(ACK);
    await HandshakeClient.connect(where(gateway));
    const fourth = await HandshakeClient.open(where(gateway));
    expect(await fourth.isOver()).toBe(true);
    expect(gateway.limitsHit.counts.get('connections')).toBe(1);
    gateway.worker.end('sessions/of-an-earlier-gateway');
    await expect.poll(() => gateway.census.total).toBe(1);
    await HandshakeClient.connect(where(gateway));
  });

  test('of sessions on one export is kept though many ask at once', async () => {
    const gateway = await serving({ exportConnectionsMax: 2 });
    gateway.registry.beforeAcquire = () => delay(50);
    const clients = await Promise.all(
      Array.from({ length: 6 }, () => HandshakeClient.connect(where(gateway))),
    );
    const answers = await Promise.all(clients.map((client) => client.go('disk')));
    expect(answers.filter(({ type }) => type === ACK)).toHaveLength(2);
    const refused = answers.filter(({ type }) => type === OptionReplyType.ERR_POLICY);
    expect(refused.map(({ text }) => text)).toEqual(Array(4).fill('export "disk" has 2 sessions already'));
    expect(gateway.limitsHit.counts.get('export-connections')).toBe(4);
  });

  test('of connections from one client leaves room for others', async () => {
    const gateway = await serving({ clientConnectionsMax: 2 });
    const tcp = { host: '127.0.0.1', port: gateway.endpoints.tcp?.port ?? 0 };
    const served = await HandshakeClient.connect(tcp);
    expect((await served.go('disk')).type).toBe(ACK);
    await HandshakeClient.connect(tcp);
    expect(await (await HandshakeClient.open(tcp)).isOver()).toBe(true);
    expect(gateway.limitsHit.counts).toEqual(new Map([['client-connections', 1]]));
    // The user at the Unix socket is another client.
    const other = await HandshakeClient.connect(where(gateway));
    expect((await other.go('disk')).type).toBe(ACK);
    gateway.worker.end([...gateway.worker.sessions.keys()][0] ?? '');
    await expect.poll(() => gateway.census.total).toBe(1);
    await HandshakeClient.connect(tcp);
  });

  test('of sessions that an export says is kept in place of the setting', async () => {
    const gateway = await TestGateway.start({ exportConnectionsMax: 2 });
    await gateway.publish('few', { connectionsMax: 1 });
    await gateway.publish('many', { connectionsMax: 3 });
    for (const [name, max] of [
      ['few', 1],
      ['many', 3],
    ] as const) {
      for (let count = 0; count < max; count++) {
        expect((await (await HandshakeClient.connect(where(gateway))).go(name)).type).toBe(ACK);
      }
      const client = await HandshakeClient.connect(where(gateway));
      expect(await client.go(name)).toEqual({
        type: OptionReplyType.ERR_POLICY,
        text: `export "${name}" has ${counted(max, 'session')} already`,
      });
    }
    expect(gateway.limitsHit.counts).toEqual(new Map([['export-connections', 2]]));
  });

  test('of sessions of one client on an export is kept though many ask at once', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('disk', { clientConnectionsMax: 2 });
    await gateway.publish('other');
    gateway.registry.beforeAcquire = () => delay(50);
    const clients = await Promise.all(
      Array.from({ length: 5 }, () => HandshakeClient.connect(where(gateway))),
    );
    const answers = await Promise.all(clients.map((client) => client.go('disk')));
    const refused = answers.filter(({ type }) => type === OptionReplyType.ERR_POLICY);
    expect(refused.map(({ text }) => text)).toEqual(
      Array(3).fill('this client has 2 sessions on export "disk" already'),
    );
    expect(gateway.limitsHit.counts).toEqual(new Map([['export-client-connections', 3]]));
    const over = await HandshakeClient.connect({
      host: '127.0.0.1',
      port: gateway.endpoints.tcp?.port ?? 0,
    });
    expect((await over.go('disk')).type).toBe(ACK);
    // N12: it may try another.
    const again = clients[answers.findIndex(({ type }) => type !== ACK)];
    expect((await again?.go('other'))?.type).toBe(ACK);
  });

  test('of options ends a client that never stops asking, and is counted', async () => {
    const gateway = await serving();
    const client = await HandshakeClient.connect(where(gateway));
    for (let i = 0; i < 32; i++) await client.ask(99);
    client.socket.write(encodeOption(99));
    expect(await client.isOver()).toBe(true);
    expect(gateway.limitsHit.counts.get('options-limit')).toBe(1);
  });
});

test('a session that was refused, or has ended, counts no more', async () => {
  const gateway = await serving({ exportConnectionsMax: 1 });
  gateway.worker.beforePrepare = () => {
    throw new HoldfastError('INTERNAL', 'no');
  };
  const client = await HandshakeClient.connect(where(gateway));
  expect((await client.go('disk')).type).toBe(OptionReplyType.ERR_PLATFORM);
  expect(gateway.census.total).toBe(0);
  gateway.worker.beforePrepare = () => undefined;
  expect((await client.go('disk')).type).toBe(ACK);
  const [name] = [...gateway.worker.sessions.keys()];
  gateway.worker.end(name ?? '');
  await expect.poll(() => gateway.census.total).toBe(0);
});

test('clients that say nothing are cut off when the gateway stops', async () => {
  const gateway = await serving();
  const client = await HandshakeClient.connect(where(gateway));
  await gateway.connections.stop(50);
  expect(await client.isOver()).toBe(true);
});
