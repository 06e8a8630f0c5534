import { beforeAll, describe, expect, it } from 'vitest';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';

interface ListedExport {
  readonly name: string;
  readonly readOnly: boolean;
  readonly effectiveReadOnly: boolean;
}

const done = { code: 0, stderr: '' };

describe('T18 what clients get of an export is told truthfully', () => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)], args: ['--read-only', '--json'] });
    for (const args of [
      ['device', 'add', 'rom', '--read-only', '--path', makeImage(MIB)],
      ['device', 'add', 'ram', '--path', makeImage(MIB)],
      ['export', 'add', 'of-rom', '--device', 'rom'],
      ['export', 'add', 'of-ram', '--device', 'ram'],
      ['export', 'add', 'of-ram-ro', '--device', 'ram', '--read-only'],
    ]) {
      expect(await holdfast.cli(...args)).toMatchObject(done);
    }
  });

  it('when serve --read-only is ready', () => {
    expect(JSON.parse(holdfast.stdout())).toMatchObject({ event: 'ready', readOnly: true });
  });

  it('in the list of exports', async () => {
    const { stdout } = await holdfast.cli('export', 'list');
    expect(stdout).toMatch(/^disk\.img +disk\.img +read-only /m);
    expect(stdout).toMatch(/^of-ram +ram +read-write /m);
    expect(stdout).toMatch(/^of-ram-ro +ram +read-only /m);
    expect(stdout).toMatch(/^of-rom +rom +read-only /m);
  });

  it('in JSON, beside what was asked for', async () => {
    const { stdout } = await holdfast.cli('export', 'list', '--json');
    const listed = JSON.parse(stdout) as ListedExport[];
    expect(
      listed.map(({ name, readOnly, effectiveReadOnly }) => [name, readOnly, effectiveReadOnly]),
    ).toEqual([
      ['exports/disk.img', true, true],
      ['exports/of-ram', false, false],
      ['exports/of-ram-ro', true, true],
      ['exports/of-rom', false, true],
    ]);
  });
});
