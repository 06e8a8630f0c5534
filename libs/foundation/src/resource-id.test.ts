import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HoldfastError } from './errors.js';
import { checkResourceId, RESOURCE_ID_BYTES_MAX } from './resource-id.js';

function refusal(id: string): HoldfastError {
  try {
    checkResourceId(id, 'device_id');
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error(`"${id}" was accepted`);
}

test.each(['a', 'disk.img', 'ünïcode disk', '.', '磁盘', '\u{1f4be}'])('an id may be %j', (id) => {
  expect(checkResourceId(id, 'name')).toBe(id);
});

test.each(['x'.repeat(255), 'ü'.repeat(127)])('an id may be 255 bytes long (case %#)', (id) => {
  expect(checkResourceId(id, 'name')).toBe(id);
});

test.each([
  { id: '', reason: 'must not be empty' },
  { id: 'a/b', reason: 'must not contain "/" or control characters' },
  { id: '/', reason: 'must not contain "/" or control characters' },
  { id: 'a\0', reason: 'must not contain "/" or control characters' },
  { id: 'line\nbreak', reason: 'must not contain "/" or control characters' },
  { id: '\u009b31m', reason: 'must not contain "/" or control characters' },
  { id: '\ud800', reason: 'must be well-formed Unicode' },
  { id: 'x'.repeat(256), reason: 'must be at most 255 bytes, has 256' },
  { id: 'ü'.repeat(128), reason: 'must be at most 255 bytes, has 256' },
])('Law 5 an id $reason (case %#)', ({ id, reason }) => {
  const error = refusal(id);
  expect(error.code).toBe('INVALID_ARGUMENT');
  expect(error.message).toBe(`device_id ${reason}`);
  expect(error.metadata).toEqual({ field: 'device_id' });
});

test('Law 5 whatever is accepted can be a path segment, a log field and an NBD string', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (id) => {
      let accepted = true;
      try {
        checkResourceId(id, 'name');
      } catch (error) {
        expect(error).toBeInstanceOf(HoldfastError);
        accepted = false;
      }
      const bytes = Buffer.from(id);
      const suitable =
        bytes.length >= 1 &&
        bytes.length <= RESOURCE_ID_BYTES_MAX &&
        bytes.toString() === id &&
        !Array.from(id).some((char) => char === '/' || char < ' ' || (char >= '\u007f' && char < '\u00a0'));
      expect(accepted).toBe(suitable);
    }),
    { numRuns: 500 },
  );
});
