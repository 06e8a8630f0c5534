import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { HoldfastError, type BootId, type Diskseq } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { adviseWillNeed, punchHole, readAt, zeroRange } from './data-calls.js';
import { openDevice } from './device.js';
import {
  bootId,
  identifyDevice,
  isReadOnlyBlock,
  sameDevice,
  type DeviceIdentity,
} from './device-identity.js';
import { NativeBuffer } from './native-buffer.js';
import { TestFolder } from './testing/folder.js';
import { LoopDevice, loopUnavailable } from './testing/loop-device.js';

const MIB = 1024 * 1024;

function identify(path: string): DeviceIdentity {
  using device = openDevice(path, { readOnly: true });
  return identifyDevice(device.number);
}

function image(folder: TestFolder, name = 'image', size = 8 * MIB): string {
  writeFileSync(folder.file(name), '');
  truncateSync(folder.file(name), size);
  return folder.file(name);
}

test('D5 the boot id is the kernel’s', () => {
  expect(bootId()).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  expect(bootId()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});

describe('a file', () => {
  test('is known by its file system and inode, and has no diskseq', () => {
    using folder = new TestFolder();
    const path = image(folder);
    const { dev, ino } = statSync(path);
    const identity = identify(path);
    expect(identity).toEqual({
      kind: 'file',
      bootId: bootId(),
      major: (dev >> 8) & 0xfff,
      minor: (dev & 0xff) | ((dev >> 12) & 0xfff00),
      inode: BigInt(ino),
      diskseq: undefined,
      sizeBytes: 8 * MIB,
    });
  });

  test('D6 identity is read on the open descriptor: a file put in its place does not matter', () => {
    using folder = new TestFolder();
    const path = image(folder);
    using device = openDevice(path, { readOnly: true });
    const before = identifyDevice(device.number);
    renameSync(image(folder, 'other'), path);
    expect(sameDevice(identifyDevice(device.number), before)).toBe(true);
    expect(sameDevice(identify(path), before)).toBe(false);
    unlinkSync(path);
    expect(identifyDevice(device.number)).toEqual(before);
  });

  test('is the same under another name and at another size', () => {
    using folder = new TestFolder();
    const path = image(folder);
    const before = identify(path);
    linkSync(path, folder.file('link'));
    truncateSync(path, 16 * MIB);
    const after = identify(folder.file('link'));
    expect(after.sizeBytes).toBe(16 * MIB);
    expect(sameDevice(before, after)).toBe(true);
  });
});

test('what is neither file nor block device is refused', () => {
  const fd = openSync('/dev/null', 'r');
  expect(() => identifyDevice(fd)).toThrow(HoldfastError);
  closeSync(fd);
});

test('D4 every field but the size counts', () => {
  const device: DeviceIdentity = {
    kind: 'block',
    bootId: bootId(),
    major: 7,
    minor: 3,
    inode: 0n,
    diskseq: 12n as Diskseq,
    sizeBytes: 4096 as DeviceIdentity['sizeBytes'],
  };
  expect(sameDevice(device, { ...device, sizeBytes: 8192 as DeviceIdentity['sizeBytes'] })).toBe(true);
  const others: DeviceIdentity[] = [
    { ...device, kind: 'file' },
    { ...device, bootId: 'another boot' as BootId },
    { ...device, major: 8 },
    { ...device, minor: 4 },
    { ...device, inode: 1n },
    { ...device, diskseq: 13n as Diskseq },
    { ...device, diskseq: undefined },
  ];
  expect(others.filter((other) => sameDevice(device, other))).toEqual([]);
});

describe('a loop device', () => {
  const unavailable = loopUnavailable();

  test('D4 is known by major, minor and diskseq, read together', (context) => {
    if (unavailable !== undefined) context.skip(unavailable);
    using folder = new TestFolder();
    using loop = new LoopDevice(image(folder));
    const name = loop.path.slice('/dev/'.length);
    const [major, minor] = readFileSync(`/sys/block/${name}/dev`, 'utf8').trim().split(':').map(Number);
    expect(identify(loop.path)).toEqual({
      kind: 'block',
      bootId: bootId(),
      major,
      minor,
      inode: 0n,
      diskseq: BigInt(readFileSync(`/sys/block/${name}/diskseq`, 'utf8').trim()),
      sizeBytes: 8 * MIB,
    });
  });

  test('D1 attached anew it is another device, though its name and numbers are the same', (context) => {
    if (unavailable !== undefined) context.skip(unavailable);
    using folder = new TestFolder();
    const file = image(folder);
    let before: DeviceIdentity;
    let device: string;
    {
      using loop = new LoopDevice(file);
      device = loop.path;
      before = identify(device);
      expect(sameDevice(identify(device), before)).toBe(true);
    }
    using again = new LoopDevice(file, { device });
    const after = identify(again.path);
    expect([after.major, after.minor]).toEqual([before.major, before.minor]);
    expect(after.diskseq).toBeGreaterThan(before.diskseq ?? 0n);
    expect(sameDevice(after, before)).toBe(false);
  });

  test('tells whether it is read-only', (context) => {
    if (unavailable !== undefined) context.skip(unavailable);
    using folder = new TestFolder();
    const file = image(folder);
    for (const readOnly of [true, false]) {
      using loop = new LoopDevice(file, { readOnly });
      using device = openDevice(loop.path, { readOnly: true });
      expect(isReadOnlyBlock(device.number)).toBe(readOnly);
    }
  });

  test('takes the data calls: holes and zeros read back, advice is taken', (context) => {
    if (unavailable !== undefined) context.skip(unavailable);
    using folder = new TestFolder();
    const file = folder.file('full');
    writeFileSync(file, Buffer.alloc(4 * MIB, 0xff));
    using loop = new LoopDevice(file);
    using device = openDevice(loop.path, { readOnly: false });
    expect(punchHole(device.number, 0, 65_536)).toBe(0);
    expect(zeroRange(device.number, MIB, 65_536)).toBe(0);
    expect(adviseWillNeed(device.number, 0, 4 * MIB)).toBe(0);
    const memory = NativeBuffer.allocate(4 * MIB);
    expect(readAt(device.number, memory.address, 4 * MIB, 0)).toBe(4 * MIB);
    const expected = Buffer.alloc(4 * MIB, 0xff)
      .fill(0, 0, 65_536)
      .fill(0, MIB, MIB + 65_536);
    expect(memory.bytes.equals(expected)).toBe(true);
    memory.dispose();
  });
});
