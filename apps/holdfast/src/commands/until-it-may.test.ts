import { HoldfastError, type ErrorCode } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { mayPass, untilItMay } from './until-it-may.js';

const failing = (code: ErrorCode, errno = '') => new HoldfastError(code, `it is ${code}`, { errno });

test.each<[ErrorCode, string, boolean]>([
  ['DEVICE_BUSY', '', true],
  ['DEVICE_LOCKED', '', true],
  ['WORKER_UNAVAILABLE', '', true],
  ['HANDOFF_FAILED', '', true],
  ['SERVICE_UNAVAILABLE', '', true],
  ['DEVICE_OPEN_FAILED', 'ENOENT', true],
  ['DEVICE_OPEN_FAILED', 'ENXIO', true],
  ['DEVICE_OPEN_FAILED', 'EACCES', false],
  ['DEVICE_NOT_FOUND', '', false],
  ['DEVICE_IDENTITY_MISMATCH', '', false],
  ['DEVICE_ATTACHED_TWICE', '', false],
  ['INVALID_ARGUMENT', '', false],
])('%s %s may pass by itself: %s', (code, errno, expected) => {
  expect(mayPass(failing(code, errno))).toBe(expected);
});

test('an error that is a bug does not pass', () => {
  expect(mayPass(new TypeError('x'))).toBe(false);
});

describe('waiting', () => {
  const told: string[] = [];
  const tell = (sentence: string) => told.push(sentence);
  /** Fails in these ways, one after the other, then answers with the number of attempts. */
  function attempts(...errors: readonly Error[]) {
    let count = 0;
    return () => {
      const error = errors[count++];
      return error === undefined ? Promise.resolve(count) : Promise.reject(error);
    };
  }

  test('goes on until it succeeds, and tells why it waits, once for each reason', async () => {
    told.length = 0;
    const gone = failing('DEVICE_OPEN_FAILED', 'ENOENT');
    const attempt = attempts(gone, gone, failing('DEVICE_LOCKED'));
    expect(await untilItMay(10_000, attempt, tell)).toBe(4);
    expect(told).toEqual(['waiting: it is DEVICE_OPEN_FAILED', 'waiting: it is DEVICE_LOCKED']);
  });

  test('ends with the last error when the time is over: the same code, and how long it waited', async () => {
    const before = performance.now();
    const attempt = () => Promise.reject(failing('DEVICE_LOCKED'));
    await expect(untilItMay(250, attempt, tell)).rejects.toMatchObject({
      code: 'DEVICE_LOCKED',
      message: 'it is DEVICE_LOCKED; waited 0.25 s',
    });
    expect(performance.now() - before).toBeGreaterThanOrEqual(245);
  });

  test('ends at once with what does not pass, also after what does', async () => {
    const attempt = attempts(failing('DEVICE_BUSY'), failing('DEVICE_NOT_FOUND'));
    await expect(untilItMay(10_000, attempt, tell)).rejects.toMatchObject({
      message: 'it is DEVICE_NOT_FOUND',
    });
  });

  test('does not happen unless it is asked for: one attempt, with its own error', async () => {
    told.length = 0;
    const attempt = attempts(failing('DEVICE_LOCKED'));
    await expect(untilItMay(0, attempt, tell)).rejects.toMatchObject({ message: 'it is DEVICE_LOCKED' });
    expect(told).toEqual([]);
  });
});
