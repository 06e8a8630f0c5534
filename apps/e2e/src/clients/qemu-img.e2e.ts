import { closeSync, copyFileSync, openSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, succeed } from '../support/command.js';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB, sha256 } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';

const needs = requireCommands('qemu-img');
const SIZE = 24 * MIB;

describe.skipIf(needs.missing).each(engines)(`qemu-img with the $engine engine ${needs.note}`, ({ env }) => {
  let holdfast: Holdfast;
  let folder: string;
  let image: string;

  beforeAll(async () => {
    folder = scratchFolder();
    image = makeImage(SIZE, { folder });
    const targets = transports.map((name) =>
      makeImage(SIZE, { folder, fill: 'empty', name: `target-${name}` }),
    );
    holdfast = await startHoldfast({ images: [image, ...targets], env });
  });

  describe.each(transports)('over %s', (transport) => {
    it('tells the size', async () => {
      const uri = holdfast.uri(transport, 'disk.img');
      const { stdout } = await succeed('qemu-img', ['info', '--output=json', uri]);
      expect(JSON.parse(stdout)).toMatchObject({ format: 'raw', 'virtual-size': SIZE });
    });

    it('converts out to qcow2, and compare finds no difference', async () => {
      const copy = path.join(folder, `copy-${transport}.qcow2`);
      const uri = holdfast.uri(transport, 'disk.img');
      await succeed('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', uri, copy]);
      await succeed('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', uri, copy]);
      await succeed('qemu-img', ['compare', '-f', 'qcow2', '-F', 'raw', copy, image]);
    });

    it('converts in from qcow2', async () => {
      const source = makeImage(SIZE, { folder, fill: 'sparse', name: `source-${transport}` });
      const qcow2 = `${source}.qcow2`;
      await succeed('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', source, qcow2]);
      const target = `target-${transport}`;
      const uri = holdfast.uri(transport, target);
      await succeed('qemu-img', ['convert', '-n', '-f', 'qcow2', '-O', 'raw', qcow2, uri]);
      expect(await sha256(path.join(folder, target))).toBe(await sha256(source));
    });

    it('compares, and finds a single different byte', async () => {
      const other = path.join(folder, `other-${transport}`);
      copyFileSync(image, other);
      const uri = holdfast.uri(transport, 'disk.img');
      await succeed('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', uri, other]);

      flipByte(other, SIZE - 1);

      const { code } = await run('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', uri, other]);
      expect(code).toBe(1);
    });
  });
});

function flipByte(file: string, offset: number): void {
  const fd = openSync(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    readSync(fd, byte, 0, 1, offset);
    writeSync(fd, Buffer.from([~byte.readUInt8(0) & 0xff]), 0, 1, offset);
  } finally {
    closeSync(fd);
  }
}
