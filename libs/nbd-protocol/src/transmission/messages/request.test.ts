import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestBytes } from '../../testing/wire.js';
import { encodeRequest, parseRequest, REQUEST_BYTES, RequestHeader } from './request.js';

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

test('a request is 28 bytes as the specification lays them out', () => {
  const bytes = new Uint8Array(REQUEST_BYTES);
  encodeRequest(viewOf(bytes), 0, {
    flags: 0x0102,
    type: 0x0304,
    cookieHigh: 0x11121314,
    cookieLow: 0x15161718,
    offset: 0x0001_0203_0405_0607,
    length: 0x8182_8384,
  });
  expect(Buffer.from(bytes).toString('hex')).toBe(
    '25609513' + '0102' + '0304' + '1112131415161718' + '0001020304050607' + '81828384',
  );
});

test('a request is read as it was written', () => {
  const field = (bits: number) => fc.nat({ max: 2 ** bits - 1 });
  const arbitrary = fc.record({
    flags: field(16),
    type: field(16),
    cookie: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    offset: fc.maxSafeNat(),
    length: fc.nat({ max: 0xffff_ffff }),
  });
  fc.assert(
    fc.property(arbitrary, fc.nat({ max: 9 }), (request, at) => {
      const bytes = new Uint8Array(at + REQUEST_BYTES);
      bytes.set(requestBytes(request), at);
      const header = new RequestHeader();
      expect(parseRequest(viewOf(bytes), at, header)).toBe(true);
      expect(header).toMatchObject({ flags: request.flags, type: request.type });
      expect(header).toMatchObject({ offset: request.offset, length: request.length });
      const copy = new Uint8Array(bytes.length);
      encodeRequest(viewOf(copy), at, header);
      expect(copy).toEqual(bytes);
    }),
  );
});

test('T4 an offset beyond 2^53 stays beyond', () => {
  const header = new RequestHeader();
  for (const offset of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    parseRequest(viewOf(requestBytes({ type: 0, offset, length: 1 })), 0, header);
    expect(header.offset).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  }
});

test('T7 another magic is no request, and leaves the record as it was', () => {
  const header = new RequestHeader();
  const bytes = requestBytes({ type: 3, length: 7 });
  bytes[3] = 0x14;
  expect(parseRequest(viewOf(bytes), 0, header)).toBe(false);
  expect(header).toEqual(new RequestHeader());
});
