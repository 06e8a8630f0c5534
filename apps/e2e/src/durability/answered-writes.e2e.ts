import { openSync, readSync, closeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { engines } from '../support/engines.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';

const BLOCK = 64 * 1024;

/** Offsets far apart, one for each way in which a write is made durable. */
const place = { fua: 0, flushed: 3 * MIB + 512, flushedByAnother: 7 * MIB } as const;

describe.each(engines)('kill -9 of every process, $engine engine', ({ env }) => {
  it('T13 loses no write that was answered with FUA, or followed by an answered FLUSH', async () => {
    const image = makeImage(8 * MIB, { fill: 'empty' });
    const written = {
      fua: randomBytes(BLOCK),
      flushed: randomBytes(BLOCK),
      flushedByAnother: randomBytes(BLOCK),
    };
    await using holdfast = await startHoldfast({ images: [image], env });
    const one = await NbdSession.open(holdfast, 'disk.img', 'tcp');
    const other = await NbdSession.open(holdfast, 'disk.img', 'unix');

    expect(await one.write(place.flushed, written.flushed)).toMatchObject({ error: 0 });
    expect(await one.flush()).toMatchObject({ error: 0 });
    expect(await one.write(place.flushedByAnother, written.flushedByAnother)).toMatchObject({ error: 0 });
    expect(await other.flush()).toMatchObject({ error: 0 });
    expect(await one.write(place.fua, written.fua, { fua: true })).toMatchObject({ error: 0 });
    await holdfast.killEverything();

    for (const way of ['fua', 'flushed', 'flushedByAnother'] as const) {
      expect(readImage(image, place[way]).equals(written[way])).toBe(true);
    }
    await using next = await startHoldfast({ images: [image], env, state: holdfast.state });
    const reader = await NbdSession.open(next, 'disk.img');
    for (const way of ['fua', 'flushed', 'flushedByAnother'] as const) {
      expect((await reader.read(place[way], BLOCK)).data.equals(written[way])).toBe(true);
    }
    // And the lease that the dead session had is gone: the device can be let go of.
    reader.hangUp();
    expect(await next.stop()).toBe(0);
  });
});

function readImage(image: string, offset: number): Buffer {
  const fd = openSync(image, 'r');
  try {
    const bytes = Buffer.alloc(BLOCK);
    readSync(fd, bytes, 0, BLOCK, offset);
    return bytes;
  } finally {
    closeSync(fd);
  }
}
