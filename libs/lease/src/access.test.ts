import { expect, test } from 'vitest';
import { deviceAllows, isAccess } from './access.js';

test('a read-only device is leased for reading only, another for both', () => {
  expect(deviceAllows({ readOnly: true }, 'READ_ONLY')).toBe(true);
  expect(deviceAllows({ readOnly: true }, 'READ_WRITE')).toBe(false);
  expect(deviceAllows({ readOnly: false }, 'READ_ONLY')).toBe(true);
  expect(deviceAllows({ readOnly: false }, 'READ_WRITE')).toBe(true);
});

test('an access from a database is told from other text', () => {
  expect(['READ_ONLY', 'READ_WRITE'].every(isAccess)).toBe(true);
  expect(['', 'read_only', 'WRITE'].some(isAccess)).toBe(false);
});
