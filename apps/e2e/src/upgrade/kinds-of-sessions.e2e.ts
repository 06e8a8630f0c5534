import { describe, expect, it } from 'vitest';
import { chain } from '../devices/remote-device.js';
import { startUpstream } from '../devices/upstream.js';
import { enter, goTo, readBytes } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import { RawClient } from '../protocol/raw-client.js';
import { replyModes } from '../protocol/reply-modes.js';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases } from '../support/instance-facts.js';
import { NbdSession } from '../support/nbd-session.js';
import { requireCommands } from '../support/requirements.js';
import { transports } from '../support/ready-line.js';
import { makeCredentials, serveArgs } from '../tls/credentials.js';
import { byCertificate, connectTls } from '../tls/tls-client.js';
import { upgradeWorker, workersOf } from './upgrade-worker.js';

const needs = requireCommands('qemu-nbd');
const credentials = await makeCredentials('vm1');
const identity = byCertificate(credentials, 'vm1');

describe.each(engines)('an upgrade with sessions on the $engine engine', ({ env }) => {
  it.each(transports)('keeps each way to reply, and clients inside TLS, over %s', async (transport) => {
    await using holdfast = await startHoldfast({
      images: [makeImage(4 * MIB)],
      args: serveArgs(credentials, 'per-export'),
      env,
    });
    const clients = [];
    for (const mode of replyModes) {
      const client = await RawClient.connect(holdfast, transport);
      await enter(client, 'disk.img', mode);
      clients.push(client);
    }
    const secured = await connectTls(holdfast, identity, transport);
    await goTo(secured);
    clients.push(secured);
    const image = await readBytes(secured, 0, MIB);
    for (let round = 0; round < 3; round++) {
      expect((await upgradeWorker(holdfast)).takeover).toMatchObject({ sessions: clients.length });
      for (const client of clients) expectBytes(await readBytes(client, 0, MIB), image);
    }
    for (const client of clients) client.close();
  });
});

it('an upgrade with more sessions than threads keeps them all', async () => {
  await using holdfast = await startHoldfast({
    images: [makeImage(4 * MIB)],
    env: { HOLDFAST_WORKER_THREADS: '2' },
  });
  const sessions = await Promise.all(
    Array.from({ length: 100 }, () => NbdSession.open(holdfast, 'disk.img')),
  );
  expect((await upgradeWorker(holdfast)).takeover).toMatchObject({ sessions: 100 });
  for (const session of sessions) expect((await session.read(0, 4096)).error).toBe(0);
  for (const session of sessions) session.hangUp();
});

it.skipIf(needs.missing)(
  `T13 a session of another NBD server’s export is not handed over: refused by name; its device is ${needs.note}`,
  async () => {
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)] });
    const upstream = await startUpstream('qemu-nbd', makeImage(MIB));
    await chain(holdfast, 'far', upstream.uri);
    const session = await NbdSession.open(holdfast, 'far');
    const before = workersOf(holdfast);
    await expect(upgradeWorker(holdfast)).rejects.toMatchObject({
      code: 'UPGRADE_FAILED',
      message: expect.stringMatching(/sessions\/\S+ uses an export of another NBD server/) as string,
    });
    expect(workersOf(holdfast)).toEqual(before);
    const { data } = await session.read(0, 512);
    session.hangUp();
    await eventually('the session to end', async () => (await listLeases(holdfast)).length === 0);
    expect((await upgradeWorker(holdfast)).takeover).toMatchObject({ sessions: 0, devices: 2 });
    const again = await NbdSession.open(holdfast, 'far');
    expect(await again.read(0, 512)).toEqual({ error: 0, data });
    again.hangUp();
  },
);
