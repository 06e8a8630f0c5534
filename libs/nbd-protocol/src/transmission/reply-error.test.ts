import { expect, test } from 'vitest';
import { NbdError } from '../constants/errors.js';
import { ERROR_TEXT_BYTES_MAX } from '../limits.js';
import { parseErrorChunk } from './messages/error-chunk.js';
import { failureOfErrno, Refusal } from './reply-error.js';

const errors = [...Object.values(Refusal), ...Object.values(NbdError).map(failureOfErrno)];

test.each(errors)('$code "$text" says what is wrong, in bounds', (error) => {
  expect(error.text).toMatch(/^[a-z].*[^.]$/);
  expect(Buffer.byteLength(error.text)).toBeLessThanOrEqual(ERROR_TEXT_BYTES_MAX);
  expect(parseErrorChunk(error.payload)).toEqual({ error: error.code, message: error.text });
});

test('an errno is answered by the NBD error that it becomes', () => {
  for (const code of Object.values(NbdError)) expect(failureOfErrno(code).code).toBe(code);
  expect(failureOfErrno(122).code).toBe(NbdError.ENOSPC);
  expect(failureOfErrno(4000).code).toBe(NbdError.EIO);
});
