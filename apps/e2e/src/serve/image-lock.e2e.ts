import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Finished } from '../support/command.js';
import { freePort } from '../support/free-port.js';
import { runHoldfast } from '../support/holdfast-program.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { scratchFolder } from '../support/scratch-folder.js';

/** Another instance that is after the image, with a state folder of its own; it runs to its end. */
async function serveToo(image: string, ...args: readonly string[]): Promise<Finished> {
  const state = path.join(scratchFolder(), 'state');
  const listen = `127.0.0.1:${String(await freePort())}`;
  return runHoldfast(['serve', '--state', state, '--listen', listen, ...args, image]);
}

describe('Law 1: two instances and one image', () => {
  it('a second that would write is refused in one sentence, which names the first; that one goes on', async () => {
    const image = makeImage(MIB);
    await using holdfast = await startHoldfast({ images: [image] });
    const session = await NbdSession.open(holdfast, 'disk.img');
    for (const args of [[], ['--read-only']]) {
      const refused = await serveToo(image, ...args);
      const registry = `holdfast device-registry (pid ${String(holdfast.pidOf('device-registry'))})`;
      const worker = `holdfast io-worker (pid ${String(holdfast.pidOf('io-worker'))})`;
      expect(refused.stderr).toMatch(
        /^holdfast: "[^\n]*disk\.img" is open for writing in another process: [^\n]*\n$/,
      );
      expect(refused.stderr).toContain(registry);
      expect(refused.stderr).toContain(worker);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
    }
    expect(await session.write(0, Buffer.alloc(512, 1))).toMatchObject({ error: 0 });
    session.hangUp();
  });

  it('the lock outlives the registry that took it, and is there when that is back', async () => {
    const image = makeImage(MIB);
    await using holdfast = await startHoldfast({ images: [image] });
    const session = await NbdSession.open(holdfast, 'disk.img');
    const killed = holdfast.kill('device-registry');
    const refused = await serveToo(image);
    expect(refused.stderr).toContain(`holdfast io-worker (pid ${String(holdfast.pidOf('io-worker'))})`);
    expect(refused.stderr).not.toContain(`(pid ${String(killed)})`);
    await holdfast.restarted('device-registry', killed);
    const worker = holdfast.kill('io-worker');
    await holdfast.restarted('io-worker', worker);
    expect((await serveToo(image)).stderr).toContain('is open for writing in another process');
    session.hangUp();
  });

  it('two that only read work side by side, and keep out who would write', async () => {
    const image = makeImage(MIB);
    await using one = await startHoldfast({ images: [image], args: ['--read-only'] });
    await using other = await startHoldfast({ images: [image], args: ['--read-only'] });
    for (const holdfast of [one, other]) {
      const session = await NbdSession.open(holdfast, 'disk.img');
      expect(await session.read(0, 512)).toMatchObject({ error: 0 });
      session.hangUp();
    }
    const refused = await serveToo(image);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /is in use by another process: .*; stop it first, or attach the device read-only\n$/,
    );
  });

  it('kill -9 of all that had it leaves nothing in the way', async () => {
    const image = makeImage(MIB);
    await using holdfast = await startHoldfast({ images: [image] });
    await holdfast.killEverything();
    await using next = await startHoldfast({ images: [image] });
    expect(next.exports()).toEqual(['disk.img']);
  });
});
