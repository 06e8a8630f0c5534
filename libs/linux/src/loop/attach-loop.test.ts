import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { byteCount, byteOffset, HoldfastError } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { readAt, writeAt } from '../data-calls.js';
import { identifyDevice, isReadOnlyBlock, sameDevice } from '../device-identity.js';
import { lockDevice } from '../device-lock.js';
import { openDevice } from '../device.js';
import { NativeBuffer } from '../native-buffer.js';
import type { OwnedFd } from '../owned-fd.js';
import { openFdCount } from '../process.js';
import { Child, compiledModule } from '../testing/child.js';
import { TestFolder } from '../testing/folder.js';
import { LoopDevice, loopUnavailable } from '../testing/loop-device.js';
import { attachLoop, type AttachedLoop, type LoopOptions } from './attach-loop.js';
import { logicalBlockSize } from './loop-calls.js';

const MIB = 1 << 20;
const defaults: LoopOptions = {
  readOnly: false,
  offset: byteOffset(0),
  sizeLimit: byteCount(0),
  blockSize: 0,
  directIo: false,
};

function image(folder: TestFolder, size = 4 * MIB): string {
  const file = folder.file('disk.img');
  writeFileSync(file, '');
  truncateSync(file, size);
  return file;
}

async function attach(file: string, options: Partial<LoopOptions> = {}): Promise<AttachedLoop> {
  using backing = openDevice(file, { readOnly: options.readOnly ?? false });
  return await attachLoop(backing, file, { ...defaults, ...options });
}

/** The files that loop devices of this machine are bound to. */
function boundFiles(): string {
  return execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'], { encoding: 'utf8' });
}

async function eventuallyUnbound(file: string): Promise<void> {
  await expect.poll(boundFiles, { timeout: 5000 }).not.toContain(file);
}

async function refusal(file: string, options: Partial<LoopOptions>): Promise<HoldfastError> {
  const before = openFdCount();
  const outcome: unknown = await attach(file, options).catch((error: unknown) => error);
  expect(openFdCount(), 'descriptors leaked').toBe(before);
  await eventuallyUnbound(file);
  if (outcome instanceof HoldfastError) return outcome;
  throw new Error('it was attached');
}

function firstByte(fd: OwnedFd, offset: number): number {
  using memory = NativeBuffer.allocate(512);
  expect(readAt(fd.number, memory.address, 512, offset)).toBe(512);
  return memory.bytes[0] ?? -1;
}

const holder = `
  const [file] = process.argv.slice(1);
  const backing = linux.openDevice(file, { readOnly: false });
  const options = { readOnly: false, offset: 0, sizeLimit: 0, blockSize: 0, directIo: false };
  for (;;) {
    globalThis.loop = await linux.attachLoop(backing, file, options);
    console.log(loop.path + ' ' + linux.identifyDevice(loop.fd.number).diskseq);
    await new Promise((resolve) => process.stdin.once('data', resolve));
    loop.fd.close();
  }`;

describe.skipIf(loopUnavailable() !== undefined)(
  `a loop device of our own (${loopUnavailable() ?? 'real'})`,
  () => {
    test('D7 is there while somebody has it open, and gone with the last descriptor', async () => {
      using folder = new TestFolder();
      const file = image(folder);
      const { fd } = await attach(file);
      expect(boundFiles()).toContain(file);
      const second = fd.duplicate();
      fd.close();
      expect(boundFiles()).toContain(file);
      second.close();
      await eventuallyUnbound(file);
    });

    test('D7 D14 nothing is left of it when its maker is killed', async () => {
      using folder = new TestFolder();
      const file = image(folder);
      {
        await using child = new Child(holder, { args: [file] });
        await child.line();
        expect(boundFiles()).toContain(file);
      }
      await eventuallyUnbound(file);
    });

    test('reads and writes its file', async () => {
      using folder = new TestFolder();
      const file = image(folder);
      const { fd } = await attach(file);
      using memory = NativeBuffer.allocate(512);
      memory.bytes.fill(7);
      expect(writeAt(fd.number, memory.address, 512, 1024)).toBe(512);
      execFileSync('sync', [file]);
      fd.close();
      await eventuallyUnbound(file);
      expect(
        readFileSync(file)
          .subarray(1024, 1536)
          .every((byte) => byte === 7),
      ).toBe(true);
    });

    test('offset, size, block size and read-only are as asked for', async () => {
      using folder = new TestFolder();
      const file = image(folder);
      writeFileSync(file, Buffer.alloc(4 * MIB, 1).fill(2, MIB));
      const { fd } = await attach(file, {
        offset: byteOffset(MIB),
        sizeLimit: byteCount(2 * MIB),
        blockSize: 4096,
        readOnly: true,
      });
      expect(identifyDevice(fd.number).sizeBytes).toBe(2 * MIB);
      expect(logicalBlockSize(fd.number)).toBe(4096);
      expect(isReadOnlyBlock(fd.number)).toBe(true);
      expect(firstByte(fd, 0)).toBe(2);
      fd.close();
    });

    test('direct I/O is there, or refused; never dropped in silence', async () => {
      using folder = new TestFolder();
      const file = image(folder);
      const { fd, path } = await attach(file, { directIo: true, blockSize: 4096 });
      expect(readFileSync(`/sys/block/${path.slice(5)}/loop/dio`, 'utf8').trim()).toBe('1');
      fd.close();
      // At 512 bytes from the start no request is aligned to a block of the file system's device, or all are.
      const shared = '/dev/shm/holdfast-loop-test.img';
      writeFileSync(shared, Buffer.alloc(MIB));
      try {
        const outcome = await attach(shared, {
          directIo: true,
          offset: byteOffset(512),
          blockSize: 512,
        }).catch((error: unknown) => error);
        if (outcome instanceof HoldfastError) expect(outcome.code).toBe('LOOP_SETTING_REFUSED');
        else (outcome as AttachedLoop).fd.close();
      } finally {
        unlinkSync(shared);
      }
    });

    test.each<[string, number, Partial<LoopOptions>, RegExp]>([
      ['a size that sectors do not divide', MIB + 100, {}, /1048576 bytes, not 1048676/],
      ['more than the file has', MIB, { sizeLimit: byteCount(2 * MIB) }, /has 1048576 bytes from the offset/],
    ])('%s is refused, and nothing is left', async (_, size, options, why) => {
      using folder = new TestFolder();
      const error = await refusal(image(folder, size), options);
      expect(error.code).toBe('LOOP_SETTING_REFUSED');
      expect(error.message).toMatch(why);
    });

    test('a block size that does not exist is refused, and nothing is left', async () => {
      using folder = new TestFolder();
      expect((await refusal(image(folder), { blockSize: 700 })).message).toContain('LOOP_CONFIGURE');
    });

    test('D8 each has a diskseq of its own, higher than the last of the same number', async () => {
      using folder = new TestFolder();
      const file = image(folder);
      const seen = new Map<string, bigint>();
      for (let round = 0; round < 10; round++) {
        const { fd, path } = await attach(file);
        const { diskseq = 0n } = identifyDevice(fd.number);
        expect(diskseq).toBeGreaterThan(seen.get(path) ?? 0n);
        seen.set(path, diskseq);
        fd.close();
        await eventuallyUnbound(file);
      }
    });

    test('D8 its number given to another file meanwhile is another device', async () => {
      using folder = new TestFolder();
      const file = image(folder);
      const { fd, path } = await attach(file);
      const before = identifyDevice(fd.number);
      fd.close();
      await eventuallyUnbound(file);
      using other = new LoopDevice(file, { device: path });
      using opened = openDevice(other.path, { readOnly: true });
      expect(sameDevice(identifyDevice(opened.number), before)).toBe(false);
    });

    test('the lock of its file lasts as long as the device', async () => {
      using folder = new TestFolder();
      const file = image(folder);
      let loop: AttachedLoop;
      {
        using opened = openDevice(file, { readOnly: false });
        using locked = lockDevice(opened, file, { readOnly: false }).fd;
        loop = await attachLoop(locked, file, defaults);
      }
      const takeAgain = () => {
        using opened = openDevice(file, { readOnly: false });
        lockDevice(opened, file, { readOnly: false }).fd.close();
      };
      expect(takeAgain).toThrow(/is open for writing in another process/);
      loop.fd.close();
      await eventuallyUnbound(file);
      takeAgain();
    });

    test('those who attach at once all get one, each another', async () => {
      using folder = new TestFolder();
      const files = ['a', 'b', 'c'].map((name) => {
        writeFileSync(folder.file(name), '');
        truncateSync(folder.file(name), MIB);
        return folder.file(name);
      });
      const children = files.map((file) => new Child(holder, { args: [file] }));
      try {
        for (let round = 0; round < 10; round++) {
          const lines = await Promise.all(children.map((child) => child.line()));
          expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(children.length);
          expect(new Set(lines.map((line) => line.split(' ')[1])).size).toBe(children.length);
          for (const child of children) child.process.stdin?.write('\n');
        }
      } finally {
        await Promise.all(children.map((child) => child[Symbol.asyncDispose]()));
      }
      for (const file of files) await eventuallyUnbound(file);
    });

    test('waits while another process keeps the lock', async () => {
      using folder = new TestFolder();
      const file = image(folder);
      const locker = spawn('flock', ['--close', '/dev/loop-control', 'sh', '-c', 'echo locked; read -r _'], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      await once(locker.stdout, 'data');
      const attached = attach(file);
      setTimeout(() => locker.stdin.end(), 300);
      (await attached).fd.close();
      await eventuallyUnbound(file);
    });

    test('gives up after 64 attempts, and says what was in the way', () => {
      using folder = new TestFolder();
      const script = folder.file('attach.mjs');
      writeFileSync(
        script,
        `import * as linux from ${JSON.stringify(compiledModule())};
       const backing = linux.openDevice(process.execPath, { readOnly: true });
       const options = { readOnly: true, offset: 0, sizeLimit: 0, blockSize: 0, directIo: false };
       await linux.attachLoop(backing, 'x', options).catch((error) => console.log(error.code, error.message));`,
      );
      // A lock of its own, so that others who make loop devices meanwhile are not held up.
      const control = folder.file('loop-control');
      const locked = `exec flock --close /dev/loop-control ${process.execPath} ${script}`;
      const commands = `mknod ${control} c 10 237 && mount --bind ${control} /dev/loop-control && ${locked}`;
      const told = execFileSync('unshare', ['--mount', 'sh', '-c', commands], { encoding: 'utf8' });
      expect(told).toMatch(/^LOOP_UNAVAILABLE .*locked by another 64 times/);
    });
  },
);

test('where they may not be made the error says what is needed', async () => {
  await using child = new Child(
    `const backing = linux.openDevice(process.execPath, { readOnly: true });
     const options = { readOnly: true, offset: 0, sizeLimit: 0, blockSize: 0, directIo: false };
     await linux.attachLoop(backing, 'x', options).catch((error) => console.log(error.code + ' ' + error.message));`,
    process.getuid?.() === 0 ? { uid: 65_534 } : {},
  );
  expect(await child.line()).toMatch(/^LOOP_UNAVAILABLE .*needs root/);
});
