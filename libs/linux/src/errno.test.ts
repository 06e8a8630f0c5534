import { constants } from 'node:os';
import { HoldfastError } from '@holdfast/foundation';
import { expect, test } from 'vitest';
import { checked, Errno, errnoName, SystemCallError } from './errno.js';

test('every number is the one that the system headers give the name', () => {
  const known = new Map<string, number>(Object.entries(constants.errno));
  const different = Object.entries(Errno).filter(([name, number]) => (known.get(name) ?? number) !== number);
  expect(different).toEqual([]);
});

test('a number is named, with a fallback for what has no name', () => {
  expect(errnoName(2)).toBe('ENOENT');
  expect(errnoName(109)).toBe('ETOOMANYREFS');
  expect(errnoName(constants.errno.EXDEV)).toBe('EXDEV');
  expect(errnoName(999)).toBe('errno 999');
});

test('a system call error says what was called on what, and carries the facts', () => {
  const error = new SystemCallError('open', Errno.ENOENT, '/x/y');
  expect(error).toBeInstanceOf(HoldfastError);
  expect(error.message).toBe('open("/x/y"): ENOENT, no such file or directory');
  expect(error.code).toBe('SYSTEM_CALL_FAILED');
  expect(error.metadata).toEqual({ call: 'open', errno: 'ENOENT' });
  expect([error.call, error.errno]).toEqual(['open', 2]);
});

test('it is readable without a subject and without a known meaning', () => {
  expect(new SystemCallError('socket', Errno.EMFILE).message).toBe('socket: EMFILE, too many open files');
  expect(new SystemCallError('ioctl', 999, 7).message).toBe('ioctl(7): errno 999');
});

test('checked passes results on and throws negative errnos', () => {
  expect(checked('read', 0)).toBe(0);
  expect(checked('read', 512)).toBe(512);
  expect(() => checked('read', -Errno.EIO, 3)).toThrow(new SystemCallError('read', Errno.EIO, 3));
});
