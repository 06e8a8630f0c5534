import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/command.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { requireCommands } from '../support/requirements.js';

const nbdinfo = requireCommands('nbdinfo');
const behindTheGateway = ['device-registry', 'io-worker'] as const;

describe('a client that connects while a service is restarted', () => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
  });

  it.each(behindTheGateway)('waits for %s, and is served', async (service) => {
    const killed = holdfast.kill(service);
    const session = await NbdSession.open(holdfast, 'disk.img');
    expect(holdfast.pids().get(service)).not.toBe(killed);
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });
    session.hangUp();
  });

  it.skipIf(nbdinfo.missing).each(behindTheGateway)(
    `nbdinfo waits for %s ${nbdinfo.note}`,
    async (service) => {
      holdfast.kill(service);
      const { code, stderr } = await run('nbdinfo', ['--size', holdfast.uri('tcp')]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
  );
});
