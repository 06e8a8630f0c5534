import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { serviceNames, startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { leftoversOf, nothing, servicesOf } from '../support/leftovers.js';
import { NbdSession } from '../support/nbd-session.js';

describe('the services of a supervisor that was killed', () => {
  it('stop by themselves, even with a client connected, and leave the folder to the next serve', async () => {
    const image = makeImage(MIB);
    await using holdfast = await startHoldfast({ images: [image] });
    const client = await NbdSession.open(holdfast, 'disk.img');
    expect(await client.write(0, Buffer.from('answered'))).toMatchObject({ error: 0 });
    expect(servicesOf(holdfast.state)).toHaveLength(serviceNames.length);

    holdfast.signal('SIGKILL');

    await eventually('the services to end', () => servicesOf(holdfast.state).length === 0);
    // Its own socket, at which nobody listens, is left to the next one.
    const left = { ...nothing, sockets: ['supervisor.sock'] };
    expect(await leftoversOf(holdfast, [image])).toEqual(left);

    await using next = await startHoldfast({ images: [image], state: holdfast.state, port: holdfast.port });
    const session = await NbdSession.open(next, 'disk.img');
    expect((await session.read(0, 8)).data.toString()).toBe('answered');
  });
});
