import { beforeAll, describe, expect, it } from 'vitest';
import { run, succeed } from '../support/command.js';
import { enginesAndTransports } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';

const needs = requireCommands('nbdinfo', 'qemu-io');

/** Names that a URI has to escape, and their sizes. */
const names = ['my disk.img', 'Datenträger ☃ 磁盘.img', '100% & more?.img', "a'b#c+d.img"];

describe.skipIf(needs.missing).each(enginesAndTransports)(
  `export names over $transport with the $engine engine ${needs.note}`,
  ({ env, transport }) => {
    let holdfast: Holdfast;

    beforeAll(async () => {
      const folder = scratchFolder();
      const images = names.map((name, n) => makeImage((n + 1) * MIB, { folder, name, fill: 'empty' }));
      holdfast = await startHoldfast({ images, env });
    });

    it.each(names.map((name, n) => [name, n + 1] as const))('find "%s"', async (name, mebibytes) => {
      const { stdout } = await succeed('nbdinfo', ['--json', holdfast.uri(transport, name)]);
      const { exports } = JSON.parse(stdout) as { exports: unknown[] };
      expect(exports).toMatchObject([{ 'export-name': name, 'export-size': mebibytes * MIB }]);
    });

    it('reach different images', async () => {
      for (const [n, name] of names.entries()) await pattern('write', n + 1, holdfast.uri(transport, name));
      for (const [n, name] of names.entries()) await pattern('read', n + 1, holdfast.uri(transport, name));
    });

    it('do not include the empty one when there are several exports', async () => {
      const { code, stderr } = await run('nbdinfo', [defaultExport(holdfast.uri(transport))]);
      expect(code).toBe(1);
      expect(stderr).toContain('default export');
    });

    it('include the empty one when there is a single export', async () => {
      await using single = await startHoldfast({ images: [makeImage(3 * MIB)], env });
      const { stdout } = await succeed('nbdinfo', ['--size', defaultExport(single.uri(transport))]);
      expect(stdout.trim()).toBe(String(3 * MIB));
      await pattern('write', 7, defaultExport(single.uri(transport)));
      await pattern('read', 7, single.uri(transport));
    });
  },
);

/** The URI without its export name. */
function defaultExport(uri: string): string {
  const [location, query] = uri.split('?');
  return [location?.replace(/[^/]*$/, ''), ...(query === undefined ? [] : [query])].join('?');
}

async function pattern(action: 'read' | 'write', byte: number, uri: string): Promise<void> {
  const { stdout } = await succeed('qemu-io', ['-f', 'raw', '-c', `${action} -P ${String(byte)} 0 64k`, uri]);
  expect(stdout).not.toContain('failed');
}
