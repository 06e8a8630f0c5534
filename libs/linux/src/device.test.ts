import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { HoldfastError } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { readAt, writeAt } from './data-calls.js';
import { openDevice } from './device.js';
import { Errno, SystemCallError } from './errno.js';
import { NativeBuffer } from './native-buffer.js';
import { openFdCount } from './process.js';
import { TestFolder } from './testing/folder.js';

const memory = NativeBuffer.allocate(512);

function refusal(path: string, readOnly = true): HoldfastError {
  const before = openFdCount();
  try {
    openDevice(path, { readOnly }).close();
  } catch (error) {
    expect(openFdCount(), 'descriptors leaked').toBe(before);
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error(`${path} was opened`);
}

describe('opening', () => {
  test('a regular file opens for reading and writing, blocking and close-on-exec, and leaks nothing', () => {
    using folder = new TestFolder();
    writeFileSync(folder.file('image'), 'image');
    const before = openFdCount();
    const device = openDevice(folder.file('image'), { readOnly: false });
    expect(openFdCount()).toBe(before + 1);
    expect(readAt(device.number, memory.address, 512, 0)).toBe(5);
    expect(writeAt(device.number, memory.address, 5, 5)).toBe(5);
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${device.number}`, 'utf8'))?.[1];
    const value = Number.parseInt(flags ?? '', 8);
    expect(value & 0o4000, 'O_NONBLOCK').toBe(0);
    expect(value & 0o2000000, 'O_CLOEXEC').toBe(0o2000000);
    expect(value & 0o3, 'access mode').toBe(2);
    device.close();
  });

  test('a read-only device refuses writes', () => {
    using folder = new TestFolder();
    writeFileSync(folder.file('image'), 'image');
    using device = openDevice(folder.file('image'), { readOnly: true });
    expect(writeAt(device.number, memory.address, 1, 0)).toBe(-Errno.EBADF);
  });

  test('symbolic links are followed', () => {
    using folder = new TestFolder();
    writeFileSync(folder.file('image'), 'image');
    symlinkSync('image', folder.file('link'));
    using device = openDevice(folder.file('link'), { readOnly: true });
    expect(readAt(device.number, memory.address, 512, 0)).toBe(5);
  });
});

describe('DEVICE_UNSUITABLE', () => {
  test('a folder and a character device are named as such', () => {
    expect(refusal('/dev').code).toBe('DEVICE_UNSUITABLE');
    const error = refusal('/dev/null');
    expect(error.code).toBe('DEVICE_UNSUITABLE');
    expect(error.message).toBe('"/dev/null" is neither a regular file nor a block device');
    expect(error.metadata).toEqual({ path: '/dev/null' });
  });

  test('a FIFO is refused and does not hang, though nobody is at its other end', () => {
    using folder = new TestFolder();
    execFileSync('mkfifo', [folder.file('fifo')]);
    for (const readOnly of [true, false]) {
      expect(refusal(folder.file('fifo'), readOnly).code).toBe('DEVICE_UNSUITABLE');
    }
  });
});

describe('DEVICE_OPEN_FAILED', () => {
  test('carries the system error, in the sentence and as its cause', () => {
    const error = refusal('/no/such/device');
    expect(error.code).toBe('DEVICE_OPEN_FAILED');
    expect(error.message).toContain('open("/no/such/device"): ENOENT, no such file or directory');
    expect(error.metadata).toEqual({ path: '/no/such/device', call: 'open', errno: 'ENOENT' });
    expect(error.cause).toBeInstanceOf(SystemCallError);
  });

  test('names the path that was asked for, not the detour by which it is opened', (context) => {
    // Writing to a running program is refused to root too.
    const error = refusal(process.execPath, false);
    if (error.metadata['errno'] === 'EACCES') context.skip('the test may not write the node binary at all');
    expect(error.message).toContain(`open(${JSON.stringify(process.execPath)}): ETXTBSY`);
  });

  test('a NUL in the path does not cut it short', () => {
    using folder = new TestFolder();
    writeFileSync(folder.file('image'), 'image');
    expect(refusal(`${folder.file('image')}\0tail`).code).toBe('DEVICE_OPEN_FAILED');
  });

  test('a path component that is no folder', () => {
    using folder = new TestFolder();
    mkdirSync(folder.file('d'));
    writeFileSync(folder.file('d/f'), '');
    expect(refusal(folder.file('d/f/g')).message).toContain('ENOTDIR');
  });
});
