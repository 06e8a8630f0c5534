import { expect, test } from 'vitest';
import { accessKinds, compatible, deviceAllows, isAccess, type Claim } from './access.js';

test('a read-only device is leased for reading only, another for both', () => {
  expect(deviceAllows({ readOnly: true }, 'READ_ONLY')).toBe(true);
  expect(deviceAllows({ readOnly: true }, 'READ_WRITE')).toBe(false);
  expect(deviceAllows({ readOnly: false }, 'READ_ONLY')).toBe(true);
  expect(deviceAllows({ readOnly: false }, 'READ_WRITE')).toBe(true);
});

test('an access from a database is told from other text', () => {
  expect(accessKinds.every(isAccess)).toBe(true);
  expect(['', 'read_only', 'WRITE'].some(isAccess)).toBe(false);
});

test.each<[Claim, Claim, boolean]>([
  [{ access: 'READ_ONLY', clientGroup: '' }, { access: 'READ_ONLY', clientGroup: 'b' }, true],
  [{ access: 'READ_ONLY', clientGroup: 'a' }, { access: 'READ_WRITE', clientGroup: 'b' }, true],
  [{ access: 'READ_ONLY', clientGroup: '' }, { access: 'EXCLUSIVE', clientGroup: '' }, false],
  [{ access: 'READ_WRITE', clientGroup: '' }, { access: 'READ_WRITE', clientGroup: '' }, true],
  [{ access: 'READ_WRITE', clientGroup: 'a' }, { access: 'READ_WRITE', clientGroup: 'a' }, true],
  [{ access: 'READ_WRITE', clientGroup: 'a' }, { access: 'READ_WRITE', clientGroup: 'b' }, false],
  [{ access: 'READ_WRITE', clientGroup: '' }, { access: 'READ_WRITE', clientGroup: 'b' }, false],
  [{ access: 'READ_WRITE', clientGroup: 'a' }, { access: 'EXCLUSIVE', clientGroup: 'a' }, false],
  [{ access: 'EXCLUSIVE', clientGroup: 'a' }, { access: 'EXCLUSIVE', clientGroup: 'a' }, false],
])('%j beside %j: %s, whoever comes first', (one, other, expected) => {
  expect(compatible(one, other)).toBe(expected);
  expect(compatible(other, one)).toBe(expected);
});
