import { closeSync, openSync, readFileSync } from 'node:fs';
import { AssertionFailure } from '@holdfast/foundation';
import { expect, test } from 'vitest';
import { Errno, SystemCallError } from './errno.js';
import { openFile } from './open-file.js';
import { duplicateFd, OwnedFd } from './owned-fd.js';
import { openFdCount } from './process.js';

const FD_CLOEXEC_FLAG = 0o2000000;

function closeOnExec(fd: number): boolean {
  const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
  return (Number.parseInt(flags, 8) & FD_CLOEXEC_FLAG) !== 0;
}

function openNull(): OwnedFd {
  return new OwnedFd(openFile('/dev/null', 0));
}

test('closing closes once; a second close throws', () => {
  const before = openFdCount();
  const fd = openNull();
  expect(openFdCount()).toBe(before + 1);
  expect(fd.closed).toBe(false);
  fd.close();
  expect(fd.closed).toBe(true);
  expect(openFdCount()).toBe(before);
  expect(() => {
    fd.close();
  }).toThrow(AssertionFailure);
});

test('use after close throws', () => {
  const fd = openNull();
  fd.close();
  expect(() => fd.number).toThrow(AssertionFailure);
  expect(() => fd.duplicate()).toThrow(AssertionFailure);
  expect(() => fd.release()).toThrow(AssertionFailure);
});

test('a descriptor closed behind its owner is noticed', () => {
  const fd = openNull();
  closeSync(fd.number);
  expect(() => {
    fd.close();
  }).toThrow(/closed by another/);
  expect(fd.closed).toBe(true);
});

test('a duplicate is another close-on-exec descriptor with its own life', () => {
  const fd = openNull();
  const duplicate = fd.duplicate();
  expect(duplicate.number).not.toBe(fd.number);
  expect(closeOnExec(fd.number)).toBe(true);
  expect(closeOnExec(duplicate.number)).toBe(true);
  fd.close();
  expect(closeOnExec(duplicate.number)).toBe(true);
  duplicate.close();
});

test('a released descriptor is the caller’s: open, and no longer closed here', () => {
  const fd = openNull();
  const number = fd.release();
  expect(fd.closed).toBe(true);
  fd[Symbol.dispose]();
  closeSync(number);
});

test('using closes at the end of the block', () => {
  const before = openFdCount();
  {
    using fd = openNull();
    expect(fd.closed).toBe(false);
  }
  expect(openFdCount()).toBe(before);
});

test('any open descriptor can be duplicated; one that is not open is an error with its number', () => {
  const foreign = openSync('/dev/null', 'r');
  using duplicate = duplicateFd(foreign);
  closeSync(foreign);
  expect(duplicate.closed).toBe(false);
  expect(() => duplicateFd(foreign)).toThrow(new SystemCallError('fcntl', Errno.EBADF, foreign));
});

test.each([-1, 1.5, Number.NaN])('%d is no descriptor', (number) => {
  expect(() => new OwnedFd(number)).toThrow(AssertionFailure);
});
