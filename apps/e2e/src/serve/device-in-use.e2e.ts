import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases, listSessions } from '../support/instance-facts.js';
import { NbdSession } from '../support/nbd-session.js';
import { openFds } from '../support/process-facts.js';
import { scratchFolder } from '../support/scratch-folder.js';

describe('Law 1: a device in use', () => {
  let holdfast: Holdfast;
  let images: readonly string[];

  beforeAll(async () => {
    const folder = scratchFolder();
    images = ['detach.img', 'export.img', 'remove.img'].map((name) => makeImage(MIB, { folder, name }));
    holdfast = await startHoldfast({ images });
  });

  /** Whether registry and worker hold an image open. */
  function holders(name: string): string[] {
    const path = images.find((image) => image.endsWith(name)) ?? '';
    const services = ['device-registry', 'io-worker'] as const;
    return services.filter((service) => openFds(holdfast.pidOf(service)).includes(path));
  }

  async function leasesEnd(): Promise<void> {
    await eventually('all leases to end', async () => (await listLeases(holdfast)).length === 0);
  }

  it('is not detached while a session lives, which is named; afterwards it is, everywhere', async () => {
    const session = await NbdSession.open(holdfast, 'detach.img');
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });
    const [listed] = await listSessions(holdfast);

    const refused = await holdfast.cli('device', 'detach', 'detach.img');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(listed?.name.replace('sessions/', ''));
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });
    expect(holders('detach.img')).toEqual(['device-registry', 'io-worker']);

    session.hangUp();
    await leasesEnd();
    expect((await holdfast.cli('device', 'detach', 'detach.img')).code).toBe(0);
    expect(holders('detach.img')).toEqual([]);
    await expect(NbdSession.open(holdfast, 'detach.img')).rejects.toThrow(/refused/);

    expect((await holdfast.cli('device', 'attach', 'detach.img')).code).toBe(0);
    const again = await NbdSession.open(holdfast, 'detach.img');
    expect(await again.read(0, 512)).toMatchObject({ error: 0 });
    again.hangUp();
  });

  it('is not removed while an export names it, and the export goes on', async () => {
    const refused = await holdfast.cli('device', 'remove', 'export.img');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^holdfast: .*export.*export\.img/);

    const session = await NbdSession.open(holdfast, 'export.img');
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });
    session.hangUp();
  });

  it('is not removed while a session lives whose export was withdrawn', async () => {
    await leasesEnd();
    const session = await NbdSession.open(holdfast, 'remove.img');
    expect((await holdfast.cli('export', 'remove', 'remove.img')).code).toBe(0);
    await expect(NbdSession.open(holdfast, 'remove.img')).rejects.toThrow(/refused/);

    expect((await holdfast.cli('device', 'remove', 'remove.img')).code).toBe(1);
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });

    session.hangUp();
    await leasesEnd();
    expect((await holdfast.cli('device', 'remove', 'remove.img')).code).toBe(0);
    expect((await holdfast.cli('device', 'show', 'remove.img')).code).toBe(2);
    expect(holders('remove.img')).toEqual([]);
  });
});
