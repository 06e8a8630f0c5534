import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import { describe, expect, test } from 'vitest';
import { TestGateway } from '../testing/gateway.js';
import { HandshakeClient, infoRequest } from '../testing/handshake-client.js';

const { ACK, SERVER, ERR_POLICY, ERR_UNKNOWN } = OptionReplyType;

const overUnix = (gateway: TestGateway) => HandshakeClient.connect({ path: gateway.layout.nbdSocket });
const overTcp = (gateway: TestGateway) =>
  HandshakeClient.connect({ host: '127.0.0.1', port: gateway.endpoints.tcp?.port ?? 0 });
const uid = process.getuid?.() ?? 0;

async function listed(client: HandshakeClient): Promise<string[]> {
  const replies = await client.ask(Option.LIST);
  expect(replies.at(-1)?.type).toBe(ACK);
  return replies
    .filter(({ type }) => type === SERVER)
    .map(({ data }) => Buffer.from(data).subarray(4).toString());
}

describe('a hidden export', () => {
  test('N4 is not listed, and is served to who knows its name', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('plain');
    await gateway.publish('hidden', { hidden: true });
    const client = await overUnix(gateway);
    expect(await listed(client)).toEqual(['plain']);
    expect((await client.go('hidden')).type).toBe(ACK);
  });

  test('N4 is not the default export either', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('hidden', { hidden: true });
    const client = await overUnix(gateway);
    expect((await client.request(Option.INFO, '')).type).toBe(ERR_UNKNOWN);
    await gateway.publish('plain');
    expect((await client.request(Option.INFO, '')).type).toBe(ACK);
  });
});

describe('an export with allowed clients', () => {
  test('N12 lets in who is allowed, and tells others ERR_POLICY; they may go on', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('tcp', { allowedClients: ['127.0.0.0/8'] });
    await gateway.publish('unix', { allowedClients: [`uid:${String(uid)}`] });
    await gateway.publish('open');
    for (const [connect, own, other] of [
      [overTcp, 'tcp', 'unix'],
      [overUnix, 'unix', 'tcp'],
    ] as const) {
      const client = await connect(gateway);
      expect(await listed(client)).toEqual(['open', own]);
      for (const option of [Option.INFO, Option.GO]) {
        expect(await client.request(option, other)).toEqual({
          type: ERR_POLICY,
          text: `this client may not use export "${other}"`,
        });
      }
      await client.ask(Option.STRUCTURED_REPLY);
      const contexts = Buffer.concat([infoRequest(other).subarray(0, -2), Buffer.alloc(4)]);
      expect((await client.ask(Option.LIST_META_CONTEXT, contexts)).at(-1)?.type).toBe(ERR_POLICY);
      expect((await client.go(own)).type).toBe(ACK);
    }
    expect(gateway.registry.calls).toHaveLength(2);
  });

  test('N3 closes on EXPORT_NAME of who is not allowed', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('disk', { allowedClients: ['192.0.2.7'] });
    const client = await overTcp(gateway);
    client.socket.write(Buffer.from('IHAVEOPT\0\0\0\u0001\0\0\0\u0004disk'));
    expect(await client.isOver()).toBe(true);
    expect(gateway.worker.calls).toEqual([]);
  });
});

describe('N8 an export that needs TLS, at a gateway that offers none', () => {
  test('is not listed, and nobody is let in', async () => {
    const gateway = await TestGateway.start();
    await gateway.publish('secret', { tlsRequired: true });
    const client = await overUnix(gateway);
    expect(await listed(client)).toEqual([]);
    for (const option of [Option.INFO, Option.GO]) {
      const refusal = await client.request(option, 'secret');
      expect(refusal).toEqual({ type: ERR_POLICY, text: 'export "secret" is served through TLS only' });
    }
    expect((await client.ask(Option.STARTTLS)).at(-1)?.type).toBe(ERR_POLICY);
  });
});
