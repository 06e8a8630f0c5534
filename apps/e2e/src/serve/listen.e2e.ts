import { describe, expect, it } from 'vitest';
import { freePort, isFree } from '../support/free-port.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';

const WARNING =
  'can read and write what is exported there, as clients do not prove who they are without --tls';

describe('where serve listens', () => {
  it.each([
    { how: 'the option', args: ['--listen', 'none'], env: {} },
    { how: 'the environment', args: [], env: { HOLDFAST_LISTEN: 'none' } },
  ])('Law 8 is the Unix socket alone when $how says none', async ({ args, env }) => {
    const port = await freePort();
    const images = [makeImage(MIB)];
    await using holdfast = await startHoldfast({ images, args, env, port, listenBy: 'environment' });
    expect(holdfast.stdout()).toBe(`ready ${holdfast.uri('unix')}\n`);
    expect(await isFree(port)).toBe(true);
    const session = await NbdSession.open(holdfast, 'disk.img', 'unix');
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });
    session.hangUp();
    expect((await holdfast.cli('status')).code).toBe(0);
    expect(holdfast.stderr()).not.toContain('warning');
  });

  it('is what HOLDFAST_LISTEN says, unless --listen says otherwise', async () => {
    const [variable, option] = [await freePort(), await freePort()];
    const images = [makeImage(MIB)];
    {
      await using holdfast = await startHoldfast({ images, port: variable, listenBy: 'environment' });
      expect(holdfast.uri('tcp')).toBe(`nbd://127.0.0.1:${String(variable)}/disk.img`);
      expect(await holdfast.stop()).toBe(0);
    }
    const args = ['--listen', `127.0.0.1:${String(option)}`];
    await using holdfast = await startHoldfast({ images, args, port: variable, listenBy: 'environment' });
    expect(holdfast.uri('tcp')).toBe(`nbd://127.0.0.1:${String(option)}/disk.img`);
    expect(holdfast.stderr()).not.toContain('warning');
  });

  it('Law 8 is warned of when other machines reach it', async () => {
    const port = String(await freePort());
    const args = ['--listen', `0.0.0.0:${port}`];
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], args });
    expect(holdfast.stderr()).toContain(`holdfast: warning: whoever reaches 0.0.0.0:${port} ${WARNING}\n`);
  });
});
