import { truncateSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { succeed } from '../support/command.js';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';

const EIO = 5;
const EINVAL = 22;
const ENOSPC = 28;

describe.each(engines)('an image that changes its size while it is served, $engine engine', ({ env }) => {
  let holdfast: Holdfast;
  let image: string;

  beforeAll(async () => {
    image = makeImage(MIB);
    holdfast = await startHoldfast({ images: [image], env });
  });

  const shown = async () => (await holdfast.cli('device', 'show', 'disk.img')).stdout;
  const sizeOf = async () =>
    (await succeed('nbdinfo', ['--size', `nbd://127.0.0.1:${String(holdfast.port)}/disk.img`])).stdout.trim();

  it('T5 N5 sessions that live keep the size that they were told; new ones get the new one', async () => {
    const old = await NbdSession.open(holdfast, 'disk.img');
    truncateSync(image, 2 * MIB);
    const fresh = await NbdSession.open(holdfast, 'disk.img');
    expect([old.info.sizeBytes, fresh.info.sizeBytes]).toEqual([BigInt(MIB), BigInt(2 * MIB)]);
    expect((await old.read(MIB, 512)).error).toBe(EINVAL);
    expect((await old.write(MIB, Buffer.alloc(512, 1))).error).toBe(ENOSPC);
    expect((await fresh.write(MIB, Buffer.alloc(512, 2))).error).toBe(0);
    expect((await fresh.read(MIB, 512)).data.every((byte) => byte === 2)).toBe(true);
    expect(await sizeOf()).toBe(String(2 * MIB));
    expect(await shown()).toContain('2 MiB, when it was attached 1 MiB');
    old.hangUp();
    fresh.hangUp();
  });

  it('is of its new size at a worker that came since', async () => {
    await holdfast.restarted('io-worker', holdfast.kill('io-worker'));
    const session = await eventually('a session', () =>
      NbdSession.open(holdfast, 'disk.img').catch(() => undefined),
    );
    expect(session.info.sizeBytes).toBe(BigInt(2 * MIB));
    expect((await session.read(2 * MIB - 512, 512)).error).toBe(0);
    session.hangUp();
  });

  it('that shrinks: reading beyond the end is EIO, and new sessions are told the size that is left', async () => {
    const old = await NbdSession.open(holdfast, 'disk.img');
    truncateSync(image, MIB / 2);
    expect((await old.read(MIB, 512)).error).toBe(EIO);
    expect((await old.read(0, 512)).error).toBe(0);
    expect(await sizeOf()).toBe(String(MIB / 2));
    old.hangUp();
  });
});
