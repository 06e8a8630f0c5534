import { beforeAll, describe, expect, it } from 'vitest';
import { run, succeed } from '../support/command.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';

const needs = requireCommands('nbdinfo', 'qemu-io');

/** Names that a URI has to escape. */
const names = ['my disk.img', 'Datenträger ☃ 磁盘.img', '100% & more?.img', "a'b#c+d.img"];

describe.skipIf(needs.missing)(`export names ${needs.note}`, () => {
  let holdfast: Holdfast;

  // Names are the gateway's business: the worker's engines have no part in it.
  beforeAll(async () => {
    const folder = scratchFolder();
    const images = names.map((name, n) => makeImage((n + 1) * MIB, { folder, name, fill: 'empty' }));
    holdfast = await startHoldfast({ images });
  });

  describe.each(transports)('over %s', (transport) => {
    it.each(names.map((name, n) => [name, n + 1] as const))('"%s" is found', async (name, mebibytes) => {
      const { stdout } = await succeed('nbdinfo', ['--json', holdfast.uri(transport, name)]);
      const { exports } = JSON.parse(stdout) as { exports: unknown[] };
      expect(exports).toMatchObject([{ 'export-name': name, 'export-size': mebibytes * MIB }]);
    });

    it('reach different images', async () => {
      for (const [n, name] of names.entries()) await pattern('write', n + 1, holdfast.uri(transport, name));
      for (const [n, name] of names.entries()) await pattern('read', n + 1, holdfast.uri(transport, name));
    });

    it('do not include the empty one when there are several exports', async () => {
      const uri =
        transport === 'tcp'
          ? `nbd://127.0.0.1:${String(holdfast.port)}/`
          : `nbd+unix:///?socket=${holdfast.layout.nbdSocket}`;
      const { code, stderr } = await run('nbdinfo', [uri]);
      expect(code).toBe(1);
      expect(stderr).toContain('default export');
    });
  });
});

async function pattern(action: 'read' | 'write', byte: number, uri: string): Promise<void> {
  const { stdout } = await succeed('qemu-io', ['-f', 'raw', '-c', `${action} -P ${String(byte)} 0 64k`, uri]);
  expect(stdout).not.toContain('failed');
}
