import { once } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeOption, Option, OptionReplyType } from '@holdfast/nbd-protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { TestGateway } from '../testing/gateway.js';
import { HandshakeClient, infoRequest } from '../testing/handshake-client.js';
import { PskUpgrade } from '../testing/psk-upgrade.js';

const { ACK, SERVER, ERR_INVALID, ERR_POLICY, ERR_TLS_REQD, ERR_UNKNOWN } = OptionReplyType;

async function serving(mode: PskUpgrade['mode']) {
  const upgrade = new PskUpgrade(mode);
  const gateway = await TestGateway.start({}, upgrade);
  await gateway.publish('open');
  await gateway.publish('secret', { tlsRequired: true });
  const client = await HandshakeClient.connect({ path: gateway.layout.nbdSocket });
  return { gateway, client, upgrade };
}

async function listed(client: HandshakeClient): Promise<string[]> {
  const replies = await client.ask(Option.LIST);
  return replies
    .filter(({ type }) => type === SERVER)
    .map(({ data }) => Buffer.from(data).subarray(4).toString());
}

describe('a gateway that requires TLS', () => {
  test('N8 answers TLS_REQD until TLS has begun, and everything inside it', async () => {
    const { client } = await serving('required');
    expect((await client.ask(Option.LIST)).at(-1)?.type).toBe(ERR_TLS_REQD);
    expect((await client.go('open')).type).toBe(ERR_TLS_REQD);
    const secured = await client.startTls();
    expect(await listed(secured)).toEqual(['open', 'secret']);
    expect((await secured.ask(Option.STARTTLS)).at(-1)?.type).toBe(ERR_INVALID);
    expect((await secured.go('open')).type).toBe(ACK);
  });

  test('N8 closes on EXPORT_NAME without TLS', async () => {
    const { client, gateway } = await serving('required');
    client.socket.write(encodeOption(Option.EXPORT_NAME, Buffer.from('open')));
    expect(await client.isOver()).toBe(true);
    expect(gateway.worker.calls).toEqual([]);
  });
});

describe('a gateway with TLS for some exports', () => {
  test('N8 serves the others without it, and tells nothing of those', async () => {
    const { client } = await serving('per-export');
    expect(await listed(client)).toEqual(['open']);
    const secret = await client.request(Option.INFO, 'secret');
    expect(secret.type).toBe(ERR_TLS_REQD);
    expect(await client.request(Option.INFO, 'missing')).toEqual(secret);
    expect((await client.go('open')).type).toBe(ACK);
  });

  test('N8 does not send for TLS who could not be served with it either', async () => {
    const { client, gateway } = await serving('per-export');
    gateway.registry.devices.delete('devices/open');
    for (const option of [Option.INFO, Option.GO]) {
      expect((await client.request(option, 'open')).type).toBe(ERR_UNKNOWN);
    }
  });

  test('N8 serves all of them inside TLS', async () => {
    const { client } = await serving('per-export');
    const secured = await client.startTls();
    expect(await listed(secured)).toEqual(['open', 'secret']);
    expect((await secured.request(Option.INFO, 'missing')).type).toBe(ERR_UNKNOWN);
    expect((await secured.go('secret')).type).toBe(ACK);
  });
});

describe('beginning TLS', () => {
  test('N7 wipes what was negotiated before, and the worker is told of TLS', async () => {
    const { client, gateway } = await serving('per-export');
    await client.ask(Option.EXTENDED_HEADERS);
    const secured = await client.startTls();
    expect((await secured.go('secret')).type).toBe(ACK);
    const [session] = gateway.worker.sessions.values();
    expect(session).toMatchObject({ tls: true, replyMode: 1 });
  });

  test('N7 what came in plain text behind STARTTLS is not read inside TLS', async () => {
    const { client, gateway } = await serving('per-export');
    const injected = [encodeOption(Option.STRUCTURED_REPLY), encodeOption(Option.GO, infoRequest('open'))];
    client.socket.write(Buffer.concat([encodeOption(Option.STARTTLS), ...injected]));
    await client.take(20);
    const secured = await client.secured();
    expect(await listed(secured)).toEqual(['open', 'secret']);
    expect(gateway.worker.calls).toEqual([]);
  });

  test('N7 nor is what came in plain text while an option before STARTTLS was still being answered', async () => {
    const { client, gateway } = await serving('per-export');
    gateway.registry.beforeGet = () => delay(150);
    client.socket.write(
      Buffer.concat([encodeOption(Option.INFO, infoRequest('open')), encodeOption(Option.STARTTLS)]),
    );
    await delay(50);
    client.socket.write(encodeOption(Option.GO, infoRequest('open')));
    const answered = 32 + 20 + 20;
    expect(await client.take(answered)).toHaveLength(answered);
    const secured = await client.secured();
    expect(await listed(secured)).toEqual(['open', 'secret']);
    expect(gateway.worker.calls).toEqual([]);
  });

  test('N7 that fails ends the connection, and is logged', async () => {
    const { client, gateway } = await serving('per-export');
    const logged = vi.spyOn(gateway.logger, 'warn');
    await client.ask(Option.STARTTLS);
    client.socket.write(encodeOption(Option.LIST));
    // A TLS alert may come first.
    await client.take(1_000);
    expect(await client.isOver()).toBe(true);
    expect(logged).toHaveBeenCalledWith(
      expect.anything(),
      expect.stringContaining('TLS was not established'),
    );
    await expect.poll(() => gateway.connections.negotiating()).toEqual([]);
  });

  test('N10 counts for the time of the handshake', async () => {
    const gateway = await TestGateway.start({ handshakeMs: 200 }, new PskUpgrade('required'));
    const client = await HandshakeClient.connect({ path: gateway.layout.nbdSocket });
    await client.ask(Option.STARTTLS);
    expect(await client.isOver()).toBe(true);
    expect(gateway.limitsHit.counts.get('handshake-time')).toBe(1);
    await expect.poll(() => gateway.connections.negotiating()).toEqual([]);
  });

  test('N8 a certificate that is allowed opens an export', async () => {
    const { client, gateway, upgrade } = await serving('required');
    await gateway.publish('hers', { allowedClients: ['certificate:alice'] });
    const anonymous = await client.startTls();
    expect((await anonymous.go('hers')).type).toBe(ERR_POLICY);
    upgrade.certificateNames = ['alice'];
    const again = await HandshakeClient.connect({ path: gateway.layout.nbdSocket });
    expect((await (await again.startTls()).go('hers')).type).toBe(ACK);
  });
});

test('N10 the time of the handshake ends with GO, however long the passing on takes', async () => {
  const upgrade = new PskUpgrade('required');
  upgrade.beforeDetach = () => delay(500);
  const gateway = await TestGateway.start({ handshakeMs: 300 }, upgrade);
  await gateway.publish('disk');
  const client = await HandshakeClient.connect({ path: gateway.layout.nbdSocket });
  expect((await (await client.startTls()).go('disk')).type).toBe(ACK);
  await expect.poll(() => gateway.worker.arrivals.size).toBe(1);
  expect(gateway.limitsHit.counts.size).toBe(0);
});

test('a session inside TLS outlives the deadline of its handshake, with bytes both ways', async () => {
  const gateway = await TestGateway.start({ handshakeMs: 400 }, new PskUpgrade('required'));
  await gateway.publish('disk');
  const client = await HandshakeClient.connect({ path: gateway.layout.nbdSocket });
  const secured = await client.startTls();
  expect((await secured.go('disk')).type).toBe(ACK);
  const arrival = await vi.waitUntil(() => [...gateway.worker.arrivals.values()].at(-1), { timeout: 5_000 });
  const worker = new Socket({ fd: arrival.fd.release(), readable: true, writable: true });
  onTestFinished(() => {
    worker.destroy();
  });
  await delay(500);
  secured.socket.write('a request');
  const [request] = (await once(worker, 'data')) as [Buffer];
  expect(request.toString()).toBe('a request');
  worker.write('a reply');
  expect((await secured.take(7)).toString()).toBe('a reply');
  expect(gateway.limitsHit.counts.size).toBe(0);
});
