import { expect, test } from 'vitest';
import { NbdError, toNbdError } from './errors.js';

test('T4 the errors that NBD has stay what they are', () => {
  expect(Object.values(NbdError)).toEqual([1, 5, 12, 22, 28, 75, 95, 108]);
  for (const errno of Object.values(NbdError)) expect(toNbdError(errno)).toBe(errno);
});

test.each([
  ['EDQUOT', 122, NbdError.ENOSPC],
  ['EFBIG', 27, NbdError.ENOSPC],
  ['EROFS', 30, NbdError.EPERM],
])('%s becomes error %i → %i', (_name, errno, error) => {
  expect(toNbdError(errno)).toBe(error);
});

test('every other errno becomes EIO', () => {
  const mapped = new Set<number>([...Object.values(NbdError), 122, 27, 30]);
  for (let errno = 2; errno < 4096; errno += 1) {
    if (!mapped.has(errno)) expect(toNbdError(errno)).toBe(NbdError.EIO);
  }
});
