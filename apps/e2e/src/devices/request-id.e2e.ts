import { randomUUID } from 'node:crypto';
import { registryV1 } from '@holdfast/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { ask, getDevice } from '../support/instance-facts.js';

const { STATE_CONNECTED, STATE_RELEASED } = registryV1.Attachment_State;

describe('Law 2 an attach that is repeated under its request id after kill -9 of the registry', () => {
  let holdfast: Holdfast;
  const name = 'devices/disk';

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB, { name: 'first.img' })] });
    const image = makeImage(MIB, { name: 'disk' });
    await holdfast.cli('device', 'add', 'disk', '--path', image);
  });

  const attach = (requestId: string) =>
    ask(registryV1.DeviceServiceService, holdfast.layout.registrySocket, (client) =>
      client.attachDevice({ name, requestId }),
    );

  const heldDevices = () =>
    ask(registryV1.RegistryServiceService, holdfast.layout.registrySocket, async (client) => {
      return (await client.getRegistry({})).heldDevices;
    });

  it('is answered as before, and not done again', async () => {
    const requestId = randomUUID();
    const first = await attach(requestId);
    await holdfast.cli('device', 'detach', 'disk');
    await holdfast.restarted('device-registry', holdfast.kill('device-registry'));
    const again = await eventually('an answer', () => attach(requestId).catch(() => undefined));
    expect(again).toEqual(first);
    expect((await getDevice(holdfast, 'disk')).attachment?.state).toBe(STATE_RELEASED);
  });

  it('is done once, whenever the kill came', async () => {
    for (const delayMs of [0, 3, 6, 12]) {
      const before = (await getDevice(holdfast, 'disk')).attachment?.epoch ?? 0n;
      const requestId = randomUUID();
      const first = attach(requestId).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      const killed = holdfast.kill('device-registry');
      await first;
      await holdfast.restarted('device-registry', killed);
      const again = await eventually('an answer', () => attach(requestId).catch(() => undefined));
      expect(again.attachment?.state).toBe(STATE_CONNECTED);
      // One that was interrupted is LOST, and begun anew by the repair or by the repeated request.
      expect((again.attachment?.epoch ?? 0n) - before).toBeLessThanOrEqual(2n);
      // What was answered before the kill is answered anew at once, before the registry has its holds back.
      await eventually('both holds to be back', async () => (await heldDevices()) === 2);
      await eventually('the detach', async () => (await holdfast.cli('device', 'detach', 'disk')).code === 0);
      expect(await attach(requestId)).toEqual(again);
      expect((await getDevice(holdfast, 'disk')).attachment?.state).toBe(STATE_RELEASED);
    }
  });
});
