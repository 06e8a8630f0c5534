import { mkdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Errno, SystemCallError } from './errno.js';
import { openFdCount } from './process.js';
import { lockFile } from './state-lock.js';
import { Child } from './testing/child.js';
import { TestFolder } from './testing/folder.js';

test('the file is made with mode 0600 and locked; a second taker gets nothing and leaks nothing', () => {
  using folder = new TestFolder();
  const path = folder.file('lock');
  const held = lockFile(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const before = openFdCount();
  expect(lockFile(path)).toBeUndefined();
  expect(openFdCount()).toBe(before);
  held?.close();
  const again = lockFile(path);
  expect(again).toBeDefined();
  again?.close();
});

test('the lock lasts until the last duplicate is closed', () => {
  using folder = new TestFolder();
  const held = lockFile(folder.file('lock'));
  const duplicate = held?.duplicate();
  held?.close();
  expect(lockFile(folder.file('lock'))).toBeUndefined();
  duplicate?.close();
  lockFile(folder.file('lock'))?.close();
});

test('Law 1 a lock held by another process is released by its death', async () => {
  using folder = new TestFolder();
  const path = folder.file('lock');
  await using child = new Child(
    `globalThis.held = linux.lockFile(process.argv[1]);
     console.log(held === undefined ? 'refused' : 'held');
     process.stdin.resume();`,
    { args: [path] },
  );
  expect(await child.line()).toBe('held');
  expect(lockFile(path)).toBeUndefined();
  child.process.kill('SIGKILL');
  await child.ended();
  const mine = lockFile(path);
  expect(mine).toBeDefined();
  mine?.close();
});

test('a lock file that was removed and made again is another lock', () => {
  using folder = new TestFolder();
  const path = folder.file('lock');
  const old = lockFile(path);
  unlinkSync(path);
  const current = lockFile(path);
  expect(current).toBeDefined();
  expect(lockFile(path)).toBeUndefined();
  old?.close();
  expect(lockFile(path)).toBeUndefined();
  current?.close();
});

test('what stands in the way is an error, not a lock held by somebody', () => {
  using folder = new TestFolder();
  mkdirSync(folder.file('d'));
  writeFileSync(folder.file('f'), '');
  expect(() => lockFile(folder.file('d'))).toThrow(SystemCallError);
  expect(() => lockFile(folder.file('f/lock'))).toThrow('ENOTDIR');
  expect(() => lockFile(folder.file('none/lock'))).toThrow(
    new SystemCallError('open', Errno.ENOENT, folder.file('none/lock')),
  );
});
