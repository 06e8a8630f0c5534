import { expect, test } from 'vitest';
import { AssertionFailure, assert, unreachable } from './assert.js';
import { errorCatalogue, isErrorCode, type ErrorCode } from './error-catalogue.js';
import { HoldfastError, messageOf } from './errors.js';

const statuses = [
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'ABORTED',
  'RESOURCE_EXHAUSTED',
  'PERMISSION_DENIED',
  'UNAVAILABLE',
  'INTERNAL',
];
const codes = Object.keys(errorCatalogue) as ErrorCode[];

test.each(codes)('%s says what it means and what to do', (code) => {
  const { status, meaning, recovery } = errorCatalogue[code];
  expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  expect(statuses).toContain(status);
  expect(meaning).toMatch(/^[A-Z].*\.$/);
  expect(recovery).toMatch(/^[A-Z].*\.$/);
  expect(recovery).not.toBe(meaning);
});

test('every two codes say different things', () => {
  const meanings = codes.map((code) => errorCatalogue[code].meaning);
  expect(new Set(meanings).size).toBe(codes.length);
});

test('only what the catalogue itself lists is a code', () => {
  expect(codes.every(isErrorCode)).toBe(true);
  expect(['', 'internal', 'toString', '__proto__', 'constructor'].some(isErrorCode)).toBe(false);
});

test('an error carries the status of its code, its facts and its cause', () => {
  const cause = new Error('the cause');
  const error = new HoldfastError('DEVICE_BUSY', 'wait', { device: 'a' }, cause);
  expect(error.status).toBe('ABORTED');
  expect(error.metadata).toEqual({ device: 'a' });
  expect(error.cause).toBe(cause);
  expect('cause' in new HoldfastError('INTERNAL', 'alone')).toBe(false);
});

test('what is thrown has a message, whatever it is', () => {
  expect(messageOf(new HoldfastError('INTERNAL', 'ours'))).toBe('ours');
  expect(messageOf('text')).toBe('text');
  expect(messageOf(undefined)).toBe('undefined');
});

test('a broken promise is an AssertionFailure that names it', () => {
  expect(() => {
    assert(false, 'the promise');
  }).toThrow(new AssertionFailure('the promise'));
  expect(() => unreachable('surprise' as never)).toThrow('unhandled case: "surprise"');
  expect(() => unreachable({ kind: 'odd', epoch: 1n } as never)).toThrow(AssertionFailure);
});
