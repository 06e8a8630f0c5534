import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkType } from '../../constants/chunk-types.js';
import { ReplyFlag } from '../../constants/reply-flags.js';
import { ChunkHeader } from './chunk-header.js';
import { encodeExtendedReply, EXTENDED_REPLY_BYTES, parseExtendedReply } from './extended-reply.js';
import { encodeStructuredReply, parseStructuredReply, STRUCTURED_REPLY_BYTES } from './structured-reply.js';

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const COOKIE_HIGH = 0x8091a2b3 | 0;
const COOKIE_LOW = 0xc4d5e6f7 | 0;

test('T16 a structured chunk header is 20 bytes and returns the cookie bit for bit', () => {
  const bytes = Buffer.alloc(STRUCTURED_REPLY_BYTES);
  encodeStructuredReply(
    viewOf(bytes),
    0,
    ReplyFlag.DONE,
    ChunkType.ERROR_OFFSET,
    COOKIE_HIGH,
    COOKIE_LOW,
    0x8182_8384,
  );
  expect(bytes.toString('hex')).toBe('668e33ef' + '0001' + '8002' + '8091a2b3c4d5e6f7' + '81828384');

  const header = new ChunkHeader();
  expect(parseStructuredReply(viewOf(bytes), 0, header)).toBe(true);
  expect(header).toEqual({
    flags: 1,
    type: 0x8002,
    cookieHigh: COOKIE_HIGH,
    cookieLow: COOKIE_LOW,
    offset: 0,
    length: 0x8182_8384,
  });
});

test('T12 an extended chunk header is 32 bytes and echoes cookie and offset bit for bit', () => {
  const bytes = Buffer.alloc(EXTENDED_REPLY_BYTES);
  encodeExtendedReply(
    viewOf(bytes),
    0,
    0,
    ChunkType.OFFSET_DATA,
    COOKIE_HIGH,
    COOKIE_LOW,
    0xf102_0304 | 0,
    0x8506_0709 | 0,
    0x1_8182_8384,
  );
  expect(bytes.toString('hex')).toBe(
    '6e8a278c' + '0000' + '0001' + '8091a2b3c4d5e6f7' + 'f102030485060709' + '0000000181828384',
  );
});

test('an extended chunk header is read as it was written', () => {
  const half = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const fields = fc.record({ high: half, low: half, offset: fc.maxSafeNat(), length: fc.maxSafeNat() });
  fc.assert(
    fc.property(fields, fc.nat({ max: 9 }), ({ high, low, offset, length }, at) => {
      const view = new DataView(new ArrayBuffer(at + EXTENDED_REPLY_BYTES));
      const offsetHigh = Math.floor(offset / 2 ** 32);
      encodeExtendedReply(view, at, 1, 6, high, low, offsetHigh, offset | 0, length);
      const header = new ChunkHeader();
      expect(parseExtendedReply(view, at, header)).toBe(true);
      expect(header).toEqual({ flags: 1, type: 6, cookieHigh: high, cookieLow: low, offset, length });
    }),
  );
});

describe.each([
  { name: 'structured', magic: 0x668e33ef, parse: parseStructuredReply },
  { name: 'extended', magic: 0x6e8a278c, parse: parseExtendedReply },
])('$name', ({ magic, parse }) => {
  test('another magic is no such chunk, and leaves the record as it was', () => {
    const view = new DataView(new ArrayBuffer(EXTENDED_REPLY_BYTES));
    for (const wrong of [0, magic ^ 1, magic ^ 0x80000000, 0x67446698]) {
      view.setUint32(0, wrong);
      view.setUint16(6, 5);
      const header = new ChunkHeader();
      expect(parse(view, 0, header)).toBe(false);
      expect(header).toEqual(new ChunkHeader());
    }
  });
});
