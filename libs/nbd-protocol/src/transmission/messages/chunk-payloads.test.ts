import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeBlockStatusDescriptor,
  encodeBlockStatusStart,
  parseBlockStatus,
  countBlockStatusExtents,
} from './block-status.js';
import {
  countBlockStatusExtExtents,
  encodeBlockStatusExtDescriptor,
  encodeBlockStatusExtStart,
  parseBlockStatusExt,
} from './block-status-ext.js';
import { encodeBlockStatusFilter, parseBlockStatusFilter } from './block-status-filter.js';
import { encodeErrorChunk, parseErrorChunk } from './error-chunk.js';
import { encodeErrorOffsetChunk, parseErrorOffsetChunk } from './error-offset-chunk.js';
import { encodeOffsetDataStart, parseOffsetData, parseOffsetDataStart } from './offset-data.js';
import { encodeOffsetHole, parseOffsetHole } from './offset-hole.js';
import { encodeOffsetHoleExt, parseOffsetHoleExt } from './offset-hole-ext.js';

function written(length: number, write: (view: DataView) => void): Buffer {
  const bytes = Buffer.alloc(length);
  write(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  return bytes;
}

const payloads = [
  {
    name: 'OFFSET_DATA',
    bytes: Buffer.concat([
      written(8, (view) => {
        encodeOffsetDataStart(view, 0, 0x0001_0203_0405_0607);
      }),
      Buffer.from('data'),
    ]),
    hex: '0001020304050607' + '64617461',
    parse: parseOffsetData,
    message: { offset: 0x0001_0203_0405_0607n, data: Uint8Array.from(Buffer.from('data')) },
  },
  {
    name: 'OFFSET_HOLE',
    bytes: written(12, (view) => {
      encodeOffsetHole(view, 0, 0x0001_0203_0405_0607, 0x8182_8384);
    }),
    hex: '0001020304050607' + '81828384',
    parse: parseOffsetHole,
    message: { offset: 0x0001_0203_0405_0607n, holeSize: 0x8182_8384n },
  },
  {
    name: 'OFFSET_HOLE_EXT',
    bytes: written(16, (view) => {
      encodeOffsetHoleExt(view, 0, 0x0001_0203_0405_0607, 0x0001_8182_8384_8586);
    }),
    hex: '0001020304050607' + '0001818283848586',
    parse: parseOffsetHoleExt,
    message: { offset: 0x0001_0203_0405_0607n, holeSize: 0x0001_8182_8384_8586n },
  },
  {
    name: 'BLOCK_STATUS',
    bytes: written(20, (view) => {
      encodeBlockStatusStart(view, 0, 0x0102_0304);
      encodeBlockStatusDescriptor(view, 4, 0xffff_fe00, 3);
      encodeBlockStatusDescriptor(view, 12, 512, 0x8000_0000);
    }),
    hex: '01020304' + 'fffffe0000000003' + '0000020080000000',
    parse: parseBlockStatus,
    message: { contextId: 0x0102_0304, descriptors: Uint32Array.of(0xffff_fe00, 3, 512, 0x8000_0000) },
  },
  {
    name: 'BLOCK_STATUS_EXT',
    bytes: written(40, (view) => {
      encodeBlockStatusExtStart(view, 0, 0x0102_0304, 2);
      encodeBlockStatusExtDescriptor(view, 8, 2 ** 52 + 1, 0x8000_0001, 2);
      encodeBlockStatusExtDescriptor(view, 24, 512, 0, 0xffff_ffff);
    }),
    hex: '0102030400000002' + '00100000000000018000000100000002' + '0000000000000200' + '00000000ffffffff',
    parse: parseBlockStatusExt,
    message: {
      contextId: 0x0102_0304,
      descriptors: BigUint64Array.of(2n ** 52n + 1n, 0x8000_0001_0000_0002n, 512n, 0xffff_ffffn),
    },
  },
  {
    name: 'ERROR',
    bytes: encodeErrorChunk({ error: 28, message: 'ä' }),
    hex: '0000001c' + '0002' + 'c3a4',
    parse: parseErrorChunk,
    message: { error: 28, message: 'ä' },
  },
  {
    name: 'ERROR_OFFSET',
    bytes: encodeErrorOffsetChunk({ error: 5, message: 'no', offset: 2n ** 63n }),
    hex: '00000005' + '0002' + '6e6f' + '8000000000000000',
    parse: parseErrorOffsetChunk,
    message: { error: 5, message: 'no', offset: 2n ** 63n },
  },
  {
    name: 'a BLOCK_STATUS request',
    bytes: encodeBlockStatusFilter({ effectLength: 2n ** 64n - 1n, contextIds: [1, 0xffff_ffff] }),
    hex: 'ffffffffffffffff' + '00000001' + 'ffffffff',
    parse: parseBlockStatusFilter,
    message: { effectLength: 2n ** 64n - 1n, contextIds: [1, 0xffff_ffff] },
  },
];

describe.each(payloads)('payload of $name', ({ bytes, hex, parse, message }) => {
  test('is what the specification lays out', () => {
    expect(bytes.toString('hex')).toBe(hex);
  });

  test('is read as it was written', () => {
    expect(parse(bytes)).toEqual(message);
  });

  test('B6 cut short at any offset is never read as the same', () => {
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(parse(bytes.subarray(0, cut)), `after ${cut} bytes`).not.toEqual(message);
    }
  });

  test('A1 is kept when the buffer that it came in is used again', () => {
    const received = Buffer.from(bytes);
    const parsed = parse(received);
    received.fill(0xee);
    expect(parsed).toEqual(message);
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60, size: 'max' }), (random) => {
        parse(random);
      }),
    );
  });
});

test('B6 a payload of BLOCK_STATUS is 4 + 8n bytes, of BLOCK_STATUS_EXT 8 + 16n, n at least 1', () => {
  for (let length = 0; length < 100; length += 1) {
    const count = (length - 4) / 8;
    expect(countBlockStatusExtents(length)).toBe(count >= 1 && count % 1 === 0 ? count : 'malformed');
    const countExt = (length - 8) / 16;
    expect(countBlockStatusExtExtents(length)).toBe(
      countExt >= 1 && countExt % 1 === 0 ? countExt : 'malformed',
    );
  }
});

test('B6 the count of a BLOCK_STATUS_EXT is the number of its descriptors, or 0', () => {
  const payload = (count: number) =>
    written(24, (view) => {
      encodeBlockStatusExtStart(view, 0, 7, count);
      encodeBlockStatusExtDescriptor(view, 8, 512, 0, 0);
    });
  const message = { contextId: 7, descriptors: BigUint64Array.of(512n, 0n) };
  for (const count of [0, 1]) expect(parseBlockStatusExt(payload(count))).toEqual(message);
  for (const count of [2, 0x1000_0001, 0xffff_ffff])
    expect(parseBlockStatusExt(payload(count))).toBe('malformed');
});

test('B2 every reading is an array of its own', () => {
  const bytes = written(12, (view) => {
    encodeBlockStatusDescriptor(view, 4, 512, 1);
  });
  const first = parseBlockStatus(bytes);
  const second = parseBlockStatus(bytes);
  if (first === 'malformed' || second === 'malformed') throw new Error('the payload is well formed');
  first.descriptors[0] = 1;
  expect(second.descriptors[0]).toBe(512);
});

test('an extent, a hole or data of no bytes is malformed', () => {
  expect(parseBlockStatus(Buffer.alloc(12))).toBe('malformed');
  expect(parseBlockStatusExt(Buffer.alloc(24))).toBe('malformed');
  expect(parseOffsetHole(Buffer.alloc(12))).toBe('malformed');
  expect(parseOffsetHoleExt(Buffer.alloc(16))).toBe('malformed');
  expect(parseOffsetData(Buffer.alloc(8))).toBe('malformed');
});

test('the start of an OFFSET_DATA tells how much data the chunk has', () => {
  const start = Buffer.from('0000000000000005', 'hex');
  expect(parseOffsetDataStart(start, 9)).toEqual({ offset: 5n, dataLength: 1 });
  expect(parseOffsetDataStart(start.subarray(1), 9)).toBe('incomplete');
  expect(parseOffsetDataStart(start, 8)).toBe('malformed');
});

describe('errors', () => {
  test('an error of 0 is malformed', () => {
    expect(parseErrorChunk(encodeErrorChunk({ error: 0, message: '' }))).toBe('malformed');
  });

  test('a text that is no UTF-8, or longer than the chunk, is malformed', () => {
    expect(parseErrorChunk(Buffer.from('00000005' + '0001' + 'ff', 'hex'))).toBe('malformed');
    expect(parseErrorChunk(Buffer.from('00000005' + '0002' + '61', 'hex'))).toBe('malformed');
  });

  test('what an unknown error chunk has behind its text is ignored', () => {
    const chunk = Buffer.concat([encodeErrorChunk({ error: 5, message: 'no' }), Buffer.from('more')]);
    expect(parseErrorChunk(chunk)).toEqual({ error: 5, message: 'no' });
    expect(parseErrorOffsetChunk(chunk)).toBe('malformed');
  });

  test('a text that is too long loses its end', () => {
    const chunk = parseErrorChunk(encodeErrorChunk({ error: 5, message: 'a'.repeat(5000) }));
    expect(chunk).toEqual({ error: 5, message: 'a'.repeat(4096) });
  });
});
