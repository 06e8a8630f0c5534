import { describe, expect, it } from 'vitest';
import { askOption, enter, goTo, readBytes } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import { closeRawClients, RawClient } from '../protocol/raw-client.js';
import { Opt } from '../protocol/spec-numbers.js';
import { option } from '../protocol/wire.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases, listSessions } from '../support/instance-facts.js';
import { transports, type Transport } from '../support/ready-line.js';
import { makeCredentials, serveArgs } from './credentials.js';
import { byCertificate, connectTls } from './tls-client.js';

const credentials = await makeCredentials('vm1');
const identity = byCertificate(credentials, 'vm1');

function serve(): Promise<Holdfast> {
  return startHoldfast({ images: [makeImage(4 * MIB)], args: serveArgs(credentials, 'per-export') });
}

async function enterTls(holdfast: Holdfast, transport?: Transport): Promise<RawClient> {
  const client = await connectTls(holdfast, identity, transport);
  await goTo(client);
  return client;
}

/** A new client as soon as one is served: services are being started again. */
async function reentered(holdfast: Holdfast): Promise<RawClient> {
  return await eventually('a client to be served', () => enterTls(holdfast).catch(() => undefined));
}

describe('the gateway that is killed', () => {
  it.each(transports)(
    'Law 1 ends its clients of TLS over %s, and their leases; those without TLS go on',
    async (transport) => {
      await using holdfast = await serve();
      const plain = await RawClient.connect(holdfast);
      await enter(plain, 'disk.img');
      const image = await readBytes(plain, 0, MIB);
      const secured = await enterTls(holdfast, transport);
      expectBytes(await readBytes(secured, 0, MIB), image);
      expect(await listLeases(holdfast)).toHaveLength(2);

      const killed = holdfast.kill('nbd-gateway');
      await secured.readToEnd();
      await holdfast.restarted('nbd-gateway', killed);

      expectBytes(await readBytes(plain, 0, MIB), image);
      await eventually(
        'the lease of the other to end',
        async () => (await listLeases(holdfast)).length === 1,
      );
      const again = await reentered(holdfast);
      expectBytes(await readBytes(again, 0, MIB), image);
      closeRawClients();
      expect(await holdfast.stop()).toBe(0);
    },
  );
});

describe('the worker that is killed', () => {
  it('ends its clients of TLS as all others, and serves them again', async () => {
    await using holdfast = await serve();
    const secured = await enterTls(holdfast);
    const image = await readBytes(secured, 0, MIB);
    const killed = holdfast.kill('io-worker');
    await secured.readToEnd();
    await holdfast.restarted('io-worker', killed);
    const again = await reentered(holdfast);
    expectBytes(await readBytes(again, 0, MIB), image);
    await eventually(
      'the old session to be forgotten',
      async () => (await listSessions(holdfast)).length === 1,
    );
    closeRawClients();
    expect(await holdfast.stop()).toBe(0);
  });
});

it('the registry that is killed is not missed by clients of TLS', async () => {
  await using holdfast = await serve();
  const secured = await enterTls(holdfast);
  const image = await readBytes(secured, 0, MIB);
  await holdfast.restarted('device-registry', holdfast.kill('device-registry'));
  expectBytes(await readBytes(secured, 0, MIB), image);
  closeRawClients();
});

it('T16 a server that stops answers clients of TLS, and ends them in order', async () => {
  await using holdfast = await serve();
  const secured = await enterTls(holdfast);
  const waiting = await connectTls(holdfast, identity);
  await readBytes(secured, 0, MIB);
  const stopped = holdfast.stop();
  await secured.readToEnd();
  // Told by TLS itself that this is the end (close_notify), and not cut off.
  expect(secured.failure).toBeUndefined();
  await askOption(waiting, option(Opt.LIST)).catch(() => undefined);
  expect(await stopped).toBe(0);
  expect(holdfast.survivors()).toEqual([]);
  closeRawClients();
});
