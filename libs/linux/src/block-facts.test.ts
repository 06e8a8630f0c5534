import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readBlockFacts, sameWwn } from './block-facts.js';
import { TestFolder } from './testing/folder.js';

function sysfs(folder: TestFolder, files: Readonly<Record<string, string | Buffer>>): string {
  for (const [name, content] of Object.entries(files)) {
    const file = folder.file(path.join('dev/block/8:1', name));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  mkdirSync(folder.file('dev/block/8:1'), { recursive: true });
  return path.dirname(folder.file('dev'));
}

const device = { major: 8, minor: 1 };
const none = { dmName: undefined, dmUuid: undefined, wwn: undefined, serial: undefined };

describe('as sysfs has them (no such disks are here)', () => {
  test.each([
    [
      'a device-mapper device',
      { 'dm/name': 'vg-lv\n', 'dm/uuid': 'LVM-abc\n' },
      { dmName: 'vg-lv', dmUuid: 'LVM-abc' },
    ],
    [
      'an NVMe namespace',
      { wwid: 'eui.0025\n', 'device/serial': 'S3X  \n' },
      { wwn: 'eui.0025', serial: 'S3X' },
    ],
    [
      'a SCSI disk',
      { 'device/wwid': 'naa.5000c5\n', 'device/vpd_pg80': Buffer.from('\0\x80\0\x08  WD-1234', 'latin1') },
      { wwn: 'naa.5000c5', serial: 'WD-1234' },
    ],
    ['a virtio disk without a serial', { serial: '\n' }, {}],
    ['a loop device', {}, {}],
  ])('%s', (_, files, expected) => {
    using folder = new TestFolder();
    expect(readBlockFacts(device, sysfs(folder, files))).toEqual({ ...none, ...expected });
  });

  test('a partition has those of its disk', () => {
    using folder = new TestFolder();
    const root = sysfs(folder, { '../wwid': 'naa.1\n', '../device/serial': 'disk\n' });
    expect(readBlockFacts(device, root)).toEqual({ ...none, wwn: 'naa.1', serial: 'disk' });
  });
});

test('D9 the real ones of this machine are as lsblk tells them', (context) => {
  const listing = execFileSync('lsblk', ['--json', '--nodeps', '--output', 'MAJ:MIN,SERIAL,WWN'], {
    encoding: 'utf8',
  });
  const { blockdevices } = JSON.parse(listing) as {
    blockdevices: { 'maj:min': string; serial: string | null; wwn: string | null }[];
  };
  const telling = blockdevices.filter(({ serial, wwn }) => serial !== null || wwn !== null);
  if (telling.length === 0) context.skip('no block device here has a serial or a WWN');
  for (const { 'maj:min': numbers, serial, wwn } of telling) {
    const [major = 0, minor = 0] = numbers.split(':').map(Number);
    const facts = readBlockFacts({ major, minor });
    if (serial !== null) expect(facts.serial).toBe(serial);
    if (wwn !== null) expect(sameWwn(facts.wwn ?? '', wwn)).toBe(true);
  }
});

test.each([
  ['0x5000c500a1b2c3d4', 'naa.5000C500A1B2C3D4', true],
  ['wwn-0x5000c5', 'naa.5000c5', true],
  ['eui.0025', 'eui.0025', true],
  ['5000c5', 'naa.5000c5', true],
  ['0x5000c5', 'naa.5000c6', false],
])('%s and %s: one device is %s', (one, other, same) => {
  expect(sameWwn(one, other)).toBe(same);
});
