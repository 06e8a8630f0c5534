import { registryV1 } from '@holdfast/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { ask } from '../support/instance-facts.js';
import { askOption, enter, greet, readBytes } from './conversation.js';
import { closeRawClients, RawClient } from './raw-client.js';
import { Opt, Rep } from './spec-numbers.js';
import { go, infoData, option } from './wire.js';

const info = option(Opt.INFO, infoData('disk.img'));

afterEach(closeRawClients);

/** With all the time that a handshake of these tests may need, unless `env` says otherwise. */
function serveOne(env = { HOLDFAST_HANDSHAKE_MS: '60000' }): Promise<Holdfast> {
  return startHoldfast({ images: [makeImage(MIB)], env });
}

async function greeted(holdfast: Holdfast): Promise<RawClient> {
  const client = await RawClient.connect(holdfast);
  await greet(client);
  return client;
}

/** Whether the whole way to an export is open. */
async function canEnter(holdfast: Holdfast): Promise<boolean> {
  try {
    const client = await RawClient.connect(holdfast);
    await enter(client);
    client.close();
    return true;
  } catch {
    return false;
  }
}

describe('refusals', () => {
  it('N12 whoever asks while the gateway stops is told ERR_SHUTDOWN; who is served notices nothing', async () => {
    await using holdfast = await serveOne();
    const session = await RawClient.connect(holdfast);
    await enter(session);
    const before = await readBytes(session, 0, 512);
    const clients = {
      list: await greeted(holdfast),
      info: await greeted(holdfast),
      go: await greeted(holdfast),
      exportName: await greeted(holdfast),
      abort: await greeted(holdfast),
    };
    const pid = holdfast.kill('nbd-gateway', 'SIGTERM');
    await refusedConnection(holdfast);
    const [listed, told, granted, aborted] = await Promise.all([
      askOption(clients.list, option(Opt.LIST)),
      askOption(clients.info, info),
      askOption(clients.go, go('disk.img')),
      askOption(clients.abort, option(Opt.ABORT)),
      clients.exportName.sent(option(Opt.EXPORT_NAME, 'disk.img')),
    ]);
    expect([listed, told, granted].map(({ type }) => type)).toEqual(Array(3).fill(Rep.ERR_SHUTDOWN));
    expect(aborted.type).toBe(Rep.ACK);
    for (const client of Object.values(clients)) expect(await client.readToEnd()).toEqual(Buffer.alloc(0));

    expect(await readBytes(session, 0, 512)).toEqual(before);
    await holdfast.restarted('nbd-gateway', pid);
    await eventually('the gateway to serve again', () => canEnter(holdfast));
    expect(await readBytes(session, 0, 512)).toEqual(before);
  });

  it('N12 an export without its device is refused by ERR_UNKNOWN, until the device is back', async () => {
    await using holdfast = await serveOne();
    const devices = registryV1.DeviceServiceService;
    const { registrySocket } = holdfast.layout;
    const client = await greeted(holdfast);
    await ask(devices, registrySocket, (service) =>
      service.detachDevice({ name: 'devices/disk.img', drainTimeout: undefined, force: false }),
    );
    expect((await askOption(client, info)).type).toBe(Rep.ERR_UNKNOWN);
    expect((await askOption(client, go('disk.img'))).type).toBe(Rep.ERR_UNKNOWN);
    await ask(devices, registrySocket, (service) => service.attachDevice({ name: 'devices/disk.img' }));
    expect((await askOption(client, go('disk.img'))).type).toBe(Rep.ACK);
  });

  it.each(['io-worker', 'device-registry'] as const)(
    'N12 without the %s GO is refused, not cut off, when it does not come back within the time for a handshake',
    async (service) => {
      await using holdfast = await serveOne({ HOLDFAST_HANDSHAKE_MS: '3000' });
      const client = await greeted(holdfast);
      // A supervisor that stands still starts nothing again.
      process.kill(holdfast.pid, 'SIGSTOP');
      holdfast.kill(service);
      const reply = await askOption(client, go('disk.img')).finally(() =>
        process.kill(holdfast.pid, 'SIGCONT'),
      );
      expect(reply.type).toBe(Rep.ERR_PLATFORM);
      await eventually('the services to agree again', () => canEnter(holdfast), 30_000);
    },
  );
});

/** Waits until nobody listens any more: the gateway has begun to stop. */
async function refusedConnection(holdfast: Holdfast): Promise<void> {
  for (;;) {
    try {
      (await RawClient.connect(holdfast)).close();
    } catch {
      return;
    }
  }
}
