import { expect, test } from 'vitest';
import { encodeName, encodeText, parseString } from './string.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test('N5 a string is UTF-8 without NUL, at most 4096 bytes', () => {
  for (const good of ['', 'disk', 'größer', '磁盘', '\ufeffmark', 'x'.repeat(4096)]) {
    expect(parseString(Buffer.from(good))).toBe(good);
  }
  for (const bad of ['00', '6100', 'ff', 'c328', 'c3', 'eda080', 'f4908080', 'c080']) {
    expect(parseString(Buffer.from(bad, 'hex')), bad).toBeUndefined();
  }
  expect(parseString(Buffer.alloc(4097, 'x'))).toBeUndefined();
});

test('a name that cannot be sent as it is, is a bug', () => {
  expect(text(encodeName('größer'))).toBe('größer');
  for (const bad of ['a\0b', '\ud800', 'x'.repeat(4097), 'ä'.repeat(2049)]) {
    expect(() => encodeName(bad)).toThrow('a name is');
  }
});

test('a text for a human is cut at a code point, its NULs become blanks', () => {
  expect(text(encodeText('a\0b'))).toBe('a b');
  expect(encodeText('x'.repeat(4096))).toHaveLength(4096);
  expect(encodeText('x'.repeat(5000))).toHaveLength(4096);
  for (const lead of ['', 'x', 'xx', 'xxx']) {
    const cut = encodeText(lead + '😀'.repeat(2000));
    expect(cut.length).toBeGreaterThan(4096 - 4);
    expect(cut.length).toBeLessThanOrEqual(4096);
    expect(parseString(cut)).toBeDefined();
  }
});
