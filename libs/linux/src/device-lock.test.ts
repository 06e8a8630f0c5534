import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { HoldfastError } from '@holdfast/foundation';
import { describe, expect, test, vi } from 'vitest';
import { lockDevice } from './device-lock.js';
import { openDevice } from './device.js';
import type { OwnedFd } from './owned-fd.js';
import { HandoffListener } from './handoff/handoff-listener.js';
import { openFdCount } from './process.js';
import { Child, compiledModule } from './testing/child.js';
import { TestFolder } from './testing/folder.js';
import { LoopDevice, loopUnavailable } from './testing/loop-device.js';

const readWrite = { readOnly: false } as const;
const readOnly = { readOnly: true } as const;

/** As the registry does: opened, then locked. */
function take(path: string, mode: { readonly readOnly: boolean }): OwnedFd {
  using opened = openDevice(path, mode);
  const { fd, locked } = lockDevice(opened, path, mode);
  expect(locked).toBe(true);
  return fd;
}

function refusal(path: string, mode: { readonly readOnly: boolean }): HoldfastError {
  const before = openFdCount();
  try {
    take(path, mode).close();
  } catch (error) {
    expect(openFdCount(), 'descriptors leaked').toBe(before);
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error(`${path} was taken`);
}

function image(folder: TestFolder): string {
  const file = folder.file('disk.img');
  writeFileSync(file, '');
  truncateSync(file, 1 << 20);
  return file;
}

/** Takes `args[0]` in another process, for writing or for reading, and says so. */
const holder = `
  const [path, mode] = process.argv.slice(1);
  const how = { readOnly: mode === 'read-only' };
  const opened = linux.openDevice(path, how);
  globalThis.held = linux.lockDevice(opened, path, how);
  opened.close();
  process.title = 'the holder';
  console.log(String(held.locked));
  process.stdin.resume();`;

async function otherProcess(file: string, mode: 'read-write' | 'read-only'): Promise<Child> {
  const child = new Child(holder, { args: [file, mode] });
  expect(await child.line()).toBe('true');
  return child;
}

describe('one image in two hands', () => {
  test('one who writes excludes everybody; those who only read exclude only who writes', () => {
    using folder = new TestFolder();
    const file = image(folder);
    const writer = take(file, readWrite);
    for (const mode of [readWrite, readOnly]) expect(refusal(file, mode).code).toBe('DEVICE_LOCKED');
    writer.close();
    const readers = [take(file, readOnly), take(file, readOnly)];
    expect(refusal(file, readWrite).code).toBe('DEVICE_LOCKED');
    for (const reader of readers) reader.close();
    take(file, readWrite).close();
  });

  test('who is in the way is named, and what to do', async () => {
    using folder = new TestFolder();
    const file = image(folder);
    {
      await using writer = await otherProcess(file, 'read-write');
      const { message, metadata } = refusal(file, readOnly);
      const pid = String(writer.process.pid);
      expect(message).toBe(
        `"${file}" is open for writing in another process: the holder (pid ${pid}); stop it first`,
      );
      expect(metadata).toEqual({ path: file, pids: pid });
    }
    await using reader = await otherProcess(file, 'read-only');
    expect(refusal(file, readWrite).message).toBe(
      `"${file}" is in use by another process: the holder (pid ${String(reader.process.pid)}); stop it first, or attach the device read-only`,
    );
    take(file, readOnly).close();
  });

  test('Law 1 the lock is the open file’s: its duplicates keep it, and the last one gives it up', () => {
    using folder = new TestFolder();
    const file = image(folder);
    const first = take(file, readWrite);
    const second = first.duplicate();
    first.close();
    expect(refusal(file, readWrite).code).toBe('DEVICE_LOCKED');
    second.close();
    take(file, readWrite).close();
  });

  test('Law 1 closing another descriptor of the same file does not give it up', () => {
    using folder = new TestFolder();
    const file = image(folder);
    using held = take(file, readWrite);
    openDevice(file, readWrite).close();
    expect(refusal(file, readWrite).code).toBe('DEVICE_LOCKED');
    expect(held.closed).toBe(false);
  });

  test('Law 1 it goes to whoever the open file is passed to, and outlives who took it', async () => {
    using folder = new TestFolder();
    const file = image(folder);
    const arrived: OwnedFd[] = [];
    const listener = await HandoffListener.listen(folder.file('s'), {
      allowedUid: process.getuid?.() ?? 0,
      onHandoff: ({ fd }) => arrived.push(fd),
      onRefused: (reason) => {
        throw new Error(reason);
      },
    });
    const pass = `await linux.sendHandoff(process.argv[3], Buffer.alloc(16), Buffer.alloc(0), held.fd.number);`;
    await using child = new Child(holder + pass, { args: [file, 'read-write', folder.file('s')] });
    const fd = await vi.waitUntil(() => arrived[0], { timeout: 5_000, interval: 5 });
    await listener.close();
    child.process.kill('SIGKILL');
    await child.ended();
    expect(refusal(file, readWrite).metadata['pids']).toBe(String(process.pid));
    fd.close();
    take(file, readWrite).close();
  });

  test('kill -9 of the only holder gives it up', async () => {
    using folder = new TestFolder();
    const file = image(folder);
    const child = await otherProcess(file, 'read-write');
    expect(refusal(file, readWrite).code).toBe('DEVICE_LOCKED');
    child.process.kill('SIGKILL');
    await child.ended();
    take(file, readWrite).close();
  });

  test('a refused attempt leaves nothing behind that would be in the way of others', () => {
    using folder = new TestFolder();
    const file = image(folder);
    const reader = take(file, readOnly);
    using opened = openDevice(file, readWrite);
    expect(() => lockDevice(opened, file, readWrite)).toThrow(HoldfastError);
    take(file, readOnly).close();
    reader.close();
    using late = openDevice(file, readWrite);
    lockDevice(late, file, readWrite).fd.close();
  });
});

describe('where there are no locks', () => {
  test('a device is opened all the same, and that is said', (context) => {
    using folder = new TestFolder();
    const file = image(folder);
    const script = `import * as linux from ${JSON.stringify(compiledModule())};
      const [path] = process.argv.slice(1);
      const opened = linux.openDevice(path, { readOnly: false });
      const { fd, locked } = linux.lockDevice(opened, path, { readOnly: false });
      console.log(JSON.stringify({ locked, open: !fd.closed }));`;
    // On this file, all calls of fcntl from the fourth on: before it are the two for O_NONBLOCK, and the duplicate.
    const inject = ['-P', file, '-e', 'trace=fcntl', '-e', 'inject=fcntl:error=ENOLCK:when=4+'];
    const run = [process.execPath, '--input-type=module', '-e', script, '--', file];
    const { stdout, stderr, error } = spawnSync(
      'strace',
      ['-f', '-qq', '-o', folder.file('trace'), ...inject, ...run],
      { encoding: 'utf8' },
    );
    if (error !== undefined || stderr.includes('ptrace')) context.skip('needs strace and the right to trace');
    expect(JSON.parse(stdout)).toEqual({ locked: false, open: true });
  });
});

const qemu = spawnSync('qemu-io', ['--version']).error === undefined;

describe.skipIf(!qemu)(`QEMU ${qemu ? '' : '[skipped: needs qemu-io]'}`, () => {
  const qemuIo = (file: string, command: string, ...options: string[]) => {
    const { stderr } = spawnSync('qemu-io', ['-f', 'raw', ...options, '-c', command, file], {
      encoding: 'utf8',
    });
    return stderr;
  };

  test('does not write to an image that we have open', () => {
    using folder = new TestFolder();
    const file = image(folder);
    for (const mode of [readWrite, readOnly]) {
      using fd = take(file, mode);
      expect(qemuIo(file, 'write 0 512')).toContain('Is another process using the image');
      expect(fd.closed).toBe(false);
    }
    expect(qemuIo(file, 'write 0 512')).toBe('');
  });

  test('keeps us from an image that it writes to, and is named', async () => {
    using folder = new TestFolder();
    const file = image(folder);
    const script = `import { spawn } from 'node:child_process';
      const child = spawn('qemu-io', ['-f', 'raw', process.argv[1]], { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdin.write('read 0 512\\n');
      child.stdout.once('data', () => console.log('open'));`;
    await using child = new Child(script, { args: [file] });
    expect(await child.line()).toBe('open');
    for (const mode of [readWrite, readOnly]) {
      const { message } = refusal(file, mode);
      expect(message).toMatch(/is open for writing in another process: qemu-io \(pid \d+\); stop it first$/);
    }
  });
});

const unavailable = loopUnavailable();

describe.skipIf(unavailable !== undefined)(`block devices ${unavailable ?? ''}`, () => {
  test('one that is open for writing is claimed: the kernel does not mount it', () => {
    using folder = new TestFolder();
    using loop = new LoopDevice(image(folder));
    execFileSync('mke2fs', ['-q', loop.path]);
    mkdirSync(folder.file('m'));
    const mount = () => spawnSync('mount', [loop.path, folder.file('m')], { encoding: 'utf8' });
    {
      using fd = take(loop.path, readWrite);
      expect(mount().stderr).toMatch(/already mounted|busy/);
      expect(refusal(loop.path, readWrite).message).toContain('is open for writing in another process');
      expect(refusal(loop.path, readOnly).message).toContain('is open for writing in another process');
      expect(fd.closed).toBe(false);
    }
    expect(mount().status).toBe(0);
    try {
      expect(refusal(loop.path, readWrite).message).toBe(
        `"${loop.path}" is mounted, part of another device, or claimed by another program; stop it first, or attach the device read-only`,
      );
      take(loop.path, readOnly).close();
    } finally {
      execFileSync('umount', [folder.file('m')]);
    }
  });
});
