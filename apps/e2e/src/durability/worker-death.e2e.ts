import { rmSync } from 'node:fs';
import { registryV1 } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { getDevice, listLeases } from '../support/instance-facts.js';
import { NbdSession, openWhenServed } from '../support/nbd-session.js';
import { openFds } from '../support/process-facts.js';

const { STATE_CONNECTED } = registryV1.Attachment_State;

describe.each(engines)('kill -9 of io-worker while leases are live, $engine engine', ({ env }) => {
  it('Law 3 ends the leases, hands the same open device to the next worker, and serves new clients', async () => {
    const image = makeImage(MIB);
    await using holdfast = await startHoldfast({ images: [image], env });
    const before = (await getDevice(holdfast, 'disk.img')).attachment;
    const clients = [
      await NbdSession.open(holdfast, 'disk.img', 'tcp'),
      await NbdSession.open(holdfast, 'disk.img', 'unix'),
    ];
    for (const client of clients)
      expect(await client.write(0, Buffer.from('answered'))).toMatchObject({ error: 0 });
    expect(await listLeases(holdfast)).toHaveLength(2);
    // From here on nobody can open it again: there is no such path.
    rmSync(image);

    await holdfast.restarted('io-worker', holdfast.kill('io-worker'));

    for (const client of clients) expect(await client.stream.readToEnd()).toHaveLength(0);
    await eventually('the leases to end', async () => (await listLeases(holdfast)).length === 0);
    const session = await openWhenServed(holdfast, 'disk.img');
    expect((await session.read(0, 8)).data.toString()).toBe('answered');
    expect((await getDevice(holdfast, 'disk.img')).attachment).toMatchObject({
      name: before?.name,
      epoch: before?.epoch,
      state: STATE_CONNECTED,
    });
    expect(await listLeases(holdfast)).toHaveLength(1);
    expect(await holdfast.stop()).toBe(0);
  });
});

describe('kill -9 of device-registry', () => {
  it('Law 3 has the worker hand the open device back, so that the worker may die next', async () => {
    const image = makeImage(MIB);
    await using holdfast = await startHoldfast({ images: [image] });
    rmSync(image);

    const registry = await holdfast.restarted('device-registry', holdfast.kill('device-registry'));
    await eventually('the device to be handed back', () =>
      openFds(registry).some((fd) => fd.startsWith(image)),
    );
    await holdfast.restarted('io-worker', holdfast.kill('io-worker'));

    const session = await openWhenServed(holdfast, 'disk.img');
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });
  });
});

describe('kill -9 of device-registry and io-worker at once', () => {
  it('Law 4 attaches the device anew under a higher epoch', async () => {
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)] });
    const before = (await getDevice(holdfast, 'disk.img')).attachment;
    const client = await NbdSession.open(holdfast, 'disk.img');
    expect(await client.write(0, Buffer.from('answered'))).toMatchObject({ error: 0 });

    const registry = holdfast.kill('device-registry');
    const worker = holdfast.kill('io-worker');
    await holdfast.restarted('device-registry', registry);
    await holdfast.restarted('io-worker', worker);

    const session = await openWhenServed(holdfast, 'disk.img');
    expect((await session.read(0, 8)).data.toString()).toBe('answered');
    const after = (await getDevice(holdfast, 'disk.img')).attachment;
    expect(after?.state).toBe(STATE_CONNECTED);
    expect(after?.epoch).toBeGreaterThan(before?.epoch ?? 0n);
    expect(await listLeases(holdfast)).toHaveLength(1);
  });
});
