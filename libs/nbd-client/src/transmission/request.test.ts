import { expect, test } from 'vitest';
import { fields } from '../testing/wire.js';
import { assertSendable, encodeRequestHeader, toUint64, type WireRequest } from './request.js';

const request = (fieldsOf: Partial<WireRequest>): WireRequest => ({
  type: 0,
  flags: 0,
  offset: 0n,
  length: 0n,
  payload: undefined,
  ...fieldsOf,
});
const UINT64_MAX = (1n << 64n) - 1n;

test('a compact request is written as the specification has it', () => {
  const header = encodeRequestHeader(
    'structured',
    2 ** 33 + 5,
    request({ type: 6, flags: 3, offset: 1n << 40n, length: 0xffff_ffffn }),
  );
  expect(header).toEqual(
    fields([32, 0x25609513], [16, 3], [16, 6], [64, 2 ** 33 + 5], [64, 1n << 40n], [32, 0xffff_ffff]),
  );
});

test.each([0n, 1n, (1n << 53n) - 1n, 1n << 53n, (1n << 53n) + 1n, UINT64_MAX])(
  'Law 7 an extended request carries %d bit for bit, as offset and as length',
  (value) => {
    const header = encodeRequestHeader(
      'extended',
      7,
      request({ type: 4, flags: 1, offset: value, length: value }),
    );
    expect(header).toEqual(fields([32, 0x21e41c71], [16, 1], [16, 4], [64, 7], [64, value], [64, value]));
    const compact = encodeRequestHeader('simple', 7, request({ offset: value, length: 1n }));
    expect(compact).toEqual(fields([32, 0x25609513], [16, 0], [16, 0], [64, 7], [64, value], [32, 1]));
  },
);

test.each([-1, 0.5, NaN, Infinity, -1n, 1n << 64n, 2 ** 64])('Law 7 %d is no offset', (value) => {
  expect(() => toUint64(value, 'offset')).toThrow(`the offset is ${value}, not a whole number of 64 bits`);
});

test('Law 7 whole numbers of 64 bits are taken as they are', () => {
  expect(toUint64(2 ** 53, 'offset')).toBe(1n << 53n);
  expect(toUint64(UINT64_MAX, 'offset')).toBe(UINT64_MAX);
});

test('a length of more than 32 bits needs extended headers', () => {
  const long = request({ type: 4, length: 1n << 32n });
  expect(() => {
    assertSendable('structured', long);
  }).toThrow('4294967296 bytes are more than one request can ask for without extended headers');
  assertSendable('extended', long);
});

test('T1 a payload is there exactly when the server will read one', () => {
  const four = { length: 4n, payload: Buffer.alloc(4) };
  assertSendable('simple', request({ type: 1, ...four }));
  assertSendable('extended', request({ type: 1, flags: 32, ...four }));
  assertSendable('extended', request({ type: 99, flags: 32, ...four }));
  for (const [mode, wrong] of [
    ['simple', request({ type: 1, length: 4n })],
    ['simple', request({ type: 4, ...four })],
    ['simple', request({ type: 4, flags: 32, ...four })],
    ['extended', request({ type: 1, ...four })],
    ['extended', request({ type: 1, flags: 32, length: 5n, payload: Buffer.alloc(4) })],
  ] as const) {
    expect(() => {
      assertSendable(mode, wrong);
    }).toThrow('and the header says');
  }
});
