import { rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { scratchFolder } from '../support/scratch-folder.js';

async function namesOf(holdfast: Holdfast, what: 'device' | 'export'): Promise<string[]> {
  const { stdout } = await holdfast.cli(what, 'list', '--json');
  return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => path.basename(name));
}

async function done(holdfast: Holdfast, ...args: readonly string[]): Promise<void> {
  expect(await holdfast.cli(...args)).toMatchObject({ code: 0, stderr: '' });
}

describe('a restart of serve', () => {
  it('keeps devices and exports that were added, and forgets the images of the command line', async () => {
    const state = path.join(scratchFolder(), 'state');
    const added = makeImage(2 * MIB, { name: 'added.img' });
    {
      await using first = await startHoldfast({ images: [makeImage(MIB, { name: 'first.img' })], state });
      await done(first, 'device', 'add', 'vm1', '--path', added);
      await done(first, 'device', 'attach', 'vm1');
      await done(first, 'export', 'add', 'vm1', '--device', 'vm1', '--description', 'first machine');
      await done(first, 'export', 'add', 'vm1-ro', '--device', 'vm1', '--read-only');
      await done(first, 'device', 'add', 'idle', '--path', added);
      expect(await namesOf(first, 'device')).toEqual(['first.img', 'idle', 'vm1']);
      const session = await NbdSession.open(first, 'vm1');
      expect(await session.write(MIB, Buffer.from('kept'))).toMatchObject({ error: 0 });
      session.hangUp();
      expect(await first.stop()).toBe(0);
    }

    await using second = await startHoldfast({ images: [makeImage(MIB, { name: 'second.img' })], state });

    expect(await namesOf(second, 'device')).toEqual(['idle', 'second.img', 'vm1']);
    expect(await namesOf(second, 'export')).toEqual(['second.img', 'vm1', 'vm1-ro']);
    await second.ready(3);
    expect(second.exports().sort()).toEqual(['second.img', 'vm1', 'vm1-ro']);
    const session = await NbdSession.open(second, 'vm1-ro');
    expect((await session.read(MIB, 4)).data.toString()).toBe('kept');
    expect((await session.write(0, Buffer.alloc(1))).error).not.toBe(0);
    await expect(NbdSession.open(second, 'first.img')).rejects.toThrow(/first\.img/);
  });

  it('serves what was added when no image is given, and makes no demo image beside it', async () => {
    const state = path.join(scratchFolder(), 'state');
    {
      await using first = await startHoldfast({ state });
      expect(first.exports()).toEqual(['demo.img']);
      await done(first, 'device', 'add', 'vm1', '--path', makeImage(MIB));
      await done(first, 'device', 'attach', 'vm1');
      expect(await first.stop()).toBe(0);
    }
    {
      // A device without an export is nothing to serve.
      await using second = await startHoldfast({ state });
      expect(second.exports()).toEqual(['demo.img']);
      await done(second, 'export', 'add', 'vm1', '--device', 'vm1');
      expect(await second.stop()).toBe(0);
    }
    await using third = await startHoldfast({ state });
    expect(third.exports()).toEqual(['vm1']);
    expect(await namesOf(third, 'device')).toEqual(['vm1']);
  });

  it('serves the others when the file of an added device is gone, and says which it cannot', async () => {
    const state = path.join(scratchFolder(), 'state');
    const folder = scratchFolder();
    const image = makeImage(MIB, { name: 'stays.img' });
    {
      await using first = await startHoldfast({ images: [image], state });
      await done(first, 'device', 'add', 'gone', '--path', makeImage(MIB, { folder }));
      await done(first, 'device', 'attach', 'gone');
      await done(first, 'export', 'add', 'gone', '--device', 'gone');
      expect(await first.stop()).toBe(0);
    }
    rmSync(folder, { recursive: true });

    await using second = await startHoldfast({ images: [image], state });

    expect(second.exports()).toEqual(['stays.img']);
    expect(second.stderr()).toMatch(
      /exports\/gone cannot be used, devices\/gone is not attached: .*disk\.img/,
    );
  });
});
