import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeExtendedRequest, EXTENDED_REQUEST_BYTES, parseExtendedRequest } from './extended-request.js';
import { RequestHeader } from './request.js';

function emptyRequest(): { bytes: Buffer; view: DataView } {
  const bytes = Buffer.alloc(EXTENDED_REQUEST_BYTES);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

test('an extended request is 32 bytes as the specification lays them out', () => {
  const { bytes, view } = emptyRequest();
  encodeExtendedRequest(view, 0, {
    flags: 0x0102,
    type: 0x0304,
    cookieHigh: 0x11121314,
    cookieLow: 0x15161718,
    offset: 0x0001_0203_0405_0607,
    length: 0x0008_8182_8384_8586,
  });
  expect(bytes.toString('hex')).toBe(
    '21e41c71' + '0102' + '0304' + '1112131415161718' + '0001020304050607' + '0008818283848586',
  );
});

test('an extended request is read as it was written', () => {
  const fields = fc.record({
    flags: fc.nat({ max: 0xffff }),
    type: fc.nat({ max: 0xffff }),
    cookieHigh: fc.integer(),
    cookieLow: fc.integer(),
    offset: fc.maxSafeNat(),
    length: fc.maxSafeNat(),
  });
  fc.assert(
    fc.property(fields, (request) => {
      const { view } = emptyRequest();
      encodeExtendedRequest(view, 0, request);
      const header = new RequestHeader();
      expect(parseExtendedRequest(view, 0, header)).toBe(true);
      expect(header).toMatchObject(request);
    }),
  );
});

test('T4 offsets and lengths beyond 2^53 stay beyond, and the offset is kept bit for bit', () => {
  const { bytes, view } = emptyRequest();
  bytes.writeUInt32BE(0x21e41c71, 0);
  const header = new RequestHeader();
  for (const value of [2n ** 53n, 2n ** 63n + 1n, 2n ** 64n - 1n]) {
    bytes.writeBigUInt64BE(value, 16);
    bytes.writeBigUInt64BE(value, 24);
    expect(parseExtendedRequest(view, 0, header)).toBe(true);
    expect(header.offset).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    expect(header.length).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    expect([header.offsetHigh, header.offsetLow]).toEqual([
      Number(BigInt.asIntN(32, value >> 32n)),
      Number(BigInt.asIntN(32, value)),
    ]);
  }
});

test('T7 a compact request is no extended one, and leaves the record as it was', () => {
  const { bytes, view } = emptyRequest();
  bytes.writeUInt32BE(0x25609513, 0);
  bytes.writeUInt16BE(3, 6);
  const header = new RequestHeader();
  expect(parseExtendedRequest(view, 0, header)).toBe(false);
  expect(header).toEqual(new RequestHeader());
});
