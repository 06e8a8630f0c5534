import { statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { succeed } from '../support/command.js';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB, sha256, type Fill } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';

const needs = requireCommands('nbdcopy');
const SIZE = 48 * MIB + 4096;
const cases = transports.flatMap((transport) =>
  (['random', 'sparse'] as const satisfies Fill[]).map((fill) => ({ transport, fill })),
);

describe.skipIf(needs.missing).each(engines)(`nbdcopy with the $engine engine ${needs.note}`, ({ env }) => {
  let holdfast: Holdfast;
  let folder: string;

  beforeAll(async () => {
    folder = scratchFolder();
    const images = cases.flatMap(({ transport, fill }) => [
      makeImage(SIZE, { folder, fill, name: `from-${transport}-${fill}` }),
      makeImage(SIZE, { folder, fill: 'empty', name: `to-${transport}-${fill}` }),
    ]);
    images.push(makeImage(SIZE, { folder, name: 'full' }));
    holdfast = await startHoldfast({ images, env });
  });

  it.each(cases)('copies a $fill image out over $transport', async ({ transport, fill }) => {
    const name = `from-${transport}-${fill}`;
    const copy = path.join(folder, `${name}.copy`);
    await succeed('nbdcopy', [holdfast.uri(transport, name), copy]);
    expect(await sha256(copy)).toBe(await sha256(path.join(folder, name)));
  });

  it.each(cases)('copies a $fill image in over $transport', async ({ transport, fill }) => {
    const source = makeImage(SIZE, { folder, fill, name: `source-${transport}-${fill}` });
    const name = `to-${transport}-${fill}`;
    await succeed('nbdcopy', ['--flush', source, holdfast.uri(transport, name)]);
    expect(await sha256(path.join(folder, name))).toBe(await sha256(source));
  });

  it('T14 punches holes where the source is sparse', async () => {
    const source = makeImage(SIZE, { folder, fill: 'sparse', name: 'source-of-holes' });
    const image = path.join(folder, 'full');
    await succeed('nbdcopy', ['--flush', source, holdfast.uri('unix', 'full')]);
    expect(await sha256(image)).toBe(await sha256(source));
    // It was full of random bytes before.
    expect(statSync(image).blocks * 512).toBeLessThan(SIZE / 4);
  });
});
