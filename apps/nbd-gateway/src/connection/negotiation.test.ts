import { HoldfastError, type ErrorCode } from '@holdfast/foundation';
import { InfoType, Option, OptionReplyType } from '@holdfast/nbd-protocol';
import { describe, expect, test, vi } from 'vitest';
import { TestGateway } from '../testing/gateway.js';
import { HandshakeClient, infoRequest } from '../testing/handshake-client.js';
import { DEVICE_BYTES } from '../testing/recording-registry.js';

const { ACK, INFO, SERVER, ERR_UNKNOWN, ERR_POLICY, ERR_SHUTDOWN, ERR_PLATFORM } = OptionReplyType;

const connect = (gateway: TestGateway) => HandshakeClient.connect({ path: gateway.layout.nbdSocket });

describe('what goes wrong behind the gateway', () => {
  test.each<[ErrorCode, number]>([
    ['DEVICE_NOT_FOUND', ERR_UNKNOWN],
    ['DEVICE_NOT_ATTACHED', ERR_UNKNOWN],
    ['LIMIT_REACHED', ERR_POLICY],
    ['SHUTTING_DOWN', ERR_SHUTDOWN],
    ['WORKER_UNAVAILABLE', ERR_PLATFORM],
    ['DEVICE_READ_ONLY', ERR_PLATFORM],
    ['INTERNAL', ERR_PLATFORM],
  ])('N12 %s is told to the client in the words of the protocol, and it may go on', async (code, type) => {
    // What is unavailable is waited for, for a second here.
    const gateway = await TestGateway.start({ handshakeMs: 2_000 });
    await gateway.publish('disk');
    gateway.registry.beforeAcquire = () => {
      throw new HoldfastError(code, 'because of /secret/path');
    };
    const client = await connect(gateway);
    const refusal = await client.go('disk');
    expect(refusal.type).toBe(type);
    gateway.registry.beforeAcquire = () => undefined;
    expect((await client.go('disk')).type).toBe(ACK);
  });

  test('Law 8 is not told to the client when it is our failure: neither paths nor messages', async () => {
    const gateway = await TestGateway.start({ handshakeMs: 2_000 });
    await gateway.publish('disk');
    const logged = vi.spyOn(gateway.logger, 'error');
    gateway.registry.stop();
    for (const option of [Option.INFO, Option.GO]) {
      const client = await connect(gateway);
      const { type, text } = await client.request(option, 'disk');
      expect(type).toBe(ERR_PLATFORM);
      expect(text).toBe('the server cannot serve this now; its log says why');
    }
    expect(logged.mock.calls.map(([, message]) => message)).toEqual([
      expect.stringContaining(gateway.layout.registrySocket),
      expect.stringContaining(gateway.layout.registrySocket),
    ]);
  });

  test('N12 a name that nothing is published under is unknown, and the client may ask for another', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('disk');
    const client = await connect(gateway);
    expect(await client.request(Option.INFO, 'tape')).toEqual({
      type: ERR_UNKNOWN,
      text: 'There is no export tape.',
    });
    expect((await client.go('disk')).type).toBe(ACK);
  });

  test('N3 is not told after EXPORT_NAME, which knows no errors: the connection closes', async () => {
    const gateway = await TestGateway.start();
    const client = await connect(gateway);
    const name = Buffer.from('tape');
    client.socket.write(
      Buffer.concat([Buffer.from('IHAVEOPT'), Buffer.from([0, 0, 0, 1, 0, 0, 0, 4]), name]),
    );
    expect(await client.isOver()).toBe(true);
  });
});

describe('what the gateway tells', () => {
  test('N4 LIST names every export, with its description', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('a');
    await gateway.publish('b', { description: 'the second' });
    const replies = await (await connect(gateway)).ask(Option.LIST);
    expect(replies.map(({ type }) => type)).toEqual([SERVER, SERVER, ACK]);
    expect(
      Buffer.from(replies[1]?.data ?? [])
        .subarray(4)
        .toString(),
    ).toBe('bthe second');
  });

  test('N5 INFO and GO say the same, and exports are resolved afresh at every option', async () => {
    const gateway = await TestGateway.start();
    const client = await connect(gateway);
    expect((await client.go('disk')).type).toBe(ERR_UNKNOWN);
    await gateway.publish('disk');
    const info = await client.ask(Option.INFO, infoRequest('disk'));
    const go = await client.ask(Option.GO, infoRequest('disk'));
    expect(info.map(({ type, data }) => [type, Buffer.from(data).toString('hex')])).toEqual(
      go.map(({ type, data }) => [type, Buffer.from(data).toString('hex')]),
    );
    const exportInfo = go.find(
      ({ type, data }) => type === INFO && Buffer.from(data).readUInt16BE() === InfoType.EXPORT,
    );
    expect(Buffer.from(exportInfo?.data ?? []).readBigUInt64BE(2)).toBe(DEVICE_BYTES);
  });

  test('the empty name is the only export there is, and nothing when there are two', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('only');
    const client = await connect(gateway);
    expect((await client.request(Option.INFO, '')).type).toBe(ACK);
    await gateway.publish('another');
    expect(await client.request(Option.INFO, '')).toEqual({
      type: ERR_UNKNOWN,
      text: 'there is no default export; name one of those listed',
    });
  });

  test('T18 an export, or a device behind it, that is read-only is announced and leased so', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('export-ro', { readOnly: true });
    await gateway.publish('device-ro');
    gateway.registry.devices.set('devices/device-ro', { readOnly: true });
    for (const name of ['export-ro', 'device-ro']) {
      const client = await connect(gateway);
      expect((await client.go(name)).type).toBe(ACK);
      const [lease] = [...gateway.registry.leases.values()].slice(-1);
      expect(lease?.access).toBe(1);
      expect([...gateway.worker.sessions.values()].at(-1)?.readOnly).toBe(true);
    }
  });

  test('N6 ABORT is acknowledged, then the connection closes', async () => {
    const gateway = await TestGateway.start();
    const client = await connect(gateway);
    expect((await client.ask(Option.ABORT)).map(({ type }) => type)).toEqual([ACK]);
    expect(await client.isOver()).toBe(true);
    await expect.poll(() => gateway.connections.negotiating()).toEqual([]);
  });

  test('N12 a gateway that stops says so to those in the handshake', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('disk');
    const client = await connect(gateway);
    const stopped = gateway.connections.stop(2_000);
    expect((await client.go('disk')).type).toBe(ERR_SHUTDOWN);
    for (const option of [Option.LIST, Option.STRUCTURED_REPLY, Option.EXTENDED_HEADERS, 99]) {
      expect((await client.ask(option)).at(-1)?.type).toBe(ERR_SHUTDOWN);
    }
    client.socket.destroy();
    await stopped;
    expect(gateway.registry.calls).toEqual([]);
  });
});
