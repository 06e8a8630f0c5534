import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { serviceNames, startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { leftoversOf, nothing } from '../support/leftovers.js';
import { openWhenServed } from '../support/nbd-session.js';

describe('serve, one of whose services is killed', () => {
  let holdfast: Holdfast;
  let image: string;

  beforeAll(async () => {
    image = makeImage(MIB);
    holdfast = await startHoldfast({ images: [image] });
  });

  it.each(serviceNames)('starts %s again, says so, and serves again', async (service) => {
    const before = holdfast.pids();
    const killed = holdfast.kill(service);

    const restarted = await holdfast.restarted(service, killed);
    const session = await openWhenServed(holdfast, 'disk.img');

    expect(await session.read(0, 4096)).toMatchObject({ error: 0 });
    session.hangUp();
    expect(holdfast.stderr()).toMatch(
      new RegExp(`^holdfast: ${service} ended \\(SIGKILL\\); starting it again in [0-9.]+ s$`, 'm'),
    );
    // The others were left alone.
    expect(holdfast.pids()).toEqual(new Map(before).set(service, restarted));
  });

  it('has all services serving in the end, and stops in order', async () => {
    await eventually('every service to serve', async () => (await holdfast.cli('status')).code === 0);
    expect(await holdfast.stop()).toBe(0);
    expect(await leftoversOf(holdfast, [image])).toEqual(nothing);
  });

  afterAll(() => holdfast[Symbol.asyncDispose]());
});

describe('serve, stopped while a service waits to be started again', () => {
  it('does not start it, and leaves nothing', async () => {
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)] });
    holdfast.kill('nbd-gateway');
    await eventually('the notice', () => holdfast.stderr().includes('starting it again'));
    expect(await holdfast.stop()).toBe(0);
    expect(await leftoversOf(holdfast)).toEqual(nothing);
  });
});
