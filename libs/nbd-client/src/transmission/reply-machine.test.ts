import { NbdProtocolError, type Violation } from '../errors/protocol-error.js';
import { expect, test } from 'vitest';
import { ReplyScene } from '../testing/reply-scene.js';
import {
  blockStatus,
  chunk,
  DONE,
  errorChunk,
  errorOffset,
  fields,
  none,
  offsetData,
  offsetHole,
  pattern,
  simpleReply,
  type Framing,
} from '../testing/wire.js';

const CHUNKED = ['structured', 'extended'] as const;
const BASE = 4096n;
const DATA = pattern(4096);

/** A READ of 4096 bytes at offset 4096 in flight, cookie 1. */
function readScene(mode: 'simple' | 'structured' | 'extended', df = false) {
  const scene = new ReplyScene(mode);
  scene.read(1, BASE, DATA.length, df);
  return { scene, framing: scene.framing(1, BASE) };
}

function violationOf(act: () => void): Violation {
  try {
    act();
  } catch (error) {
    if (error instanceof NbdProtocolError) return error.violation;
    throw error;
  }
  throw new Error('the machine took it');
}

/** How a reply to the READ breaks the protocol. */
function readViolation(
  mode: 'simple' | 'structured' | 'extended',
  stream: (framing: Framing) => Uint8Array,
  df = false,
) {
  const { scene, framing } = readScene(mode, df);
  const violation = violationOf(() => {
    scene.machine.push(stream(framing));
  });
  expect(scene.outcomes.get(1)).toBe('waiting');
  return violation;
}

test('a simple reply carries the data of a READ', () => {
  const { scene } = readScene('simple');
  scene.machine.push(simpleReply(1n, 0, DATA));
  expect(scene.outcomes.get(1)).toEqual({ result: DATA });
  expect(scene.inFlight).toBe(0);
});

test('a simple reply with an error has no data, and the stream goes on behind it', () => {
  const { scene } = readScene('simple');
  scene.read(2, 0n, 4);
  scene.machine.push(Buffer.concat([simpleReply(1n, 5), simpleReply(2n, 0, Buffer.from('next'))]));
  expect(scene.outcomes.get(1)).toMatchObject({ error: { errorName: 'EIO', command: 'READ' } });
  expect(scene.outcomes.get(2)).toEqual({ result: Buffer.from('next') });
});

test.each(CHUNKED)('T9 %s: content chunks in any order, holes among them, are put together', (mode) => {
  const { scene, framing } = readScene(mode);
  const expected = Buffer.from(DATA);
  expected.fill(0, 1000, 2000);
  scene.machine.push(
    Buffer.concat([
      offsetData(framing, BASE + 2000n, DATA.subarray(2000)),
      offsetHole(framing, BASE + 1000n, 1000),
      offsetData(framing, BASE, DATA.subarray(0, 1000)),
      none(framing),
    ]),
  );
  expect(scene.outcomes.get(1)).toEqual({ result: expected });
});

test('T9 a hole may have 64 bits with extended headers', () => {
  const { scene, framing } = readScene('extended');
  scene.machine.push(chunk(framing, 3, DONE, fields([64, BASE], [64, DATA.length])));
  expect(scene.outcomes.get(1)).toEqual({ result: Buffer.alloc(DATA.length) });
});

test.each(CHUNKED)('%s: chunks of several replies may be mixed', (mode) => {
  const { scene, framing } = readScene(mode);
  scene.status(2, 'WRITE', 0n, 512n);
  scene.read(3, 0n, 8);
  const third = scene.framing(3, 0n);
  scene.machine.push(
    Buffer.concat([
      offsetData(framing, BASE, DATA.subarray(0, 2048)),
      offsetData(third, 4n, Buffer.from('5678')),
      none(scene.framing(2, 0n)),
      offsetData(framing, BASE + 2048n, DATA.subarray(2048), DONE),
      offsetData(third, 0n, Buffer.from('1234'), DONE),
    ]),
  );
  expect(scene.outcomes.get(1)).toEqual({ result: DATA });
  expect(scene.outcomes.get(2)).toEqual({ result: undefined });
  expect(scene.outcomes.get(3)).toEqual({ result: Buffer.from('12345678') });
});

test.each(CHUNKED)('%s: an error has its text and its place', (mode) => {
  const { scene, framing } = readScene(mode);
  scene.machine.push(
    Buffer.concat([
      offsetData(framing, BASE, DATA.subarray(0, 512)),
      errorOffset(framing, 5, BASE + 100n, 'a bad\nsector', 0),
      errorOffset(framing, 28, BASE + 4095n, '', DONE),
    ]),
  );
  expect(scene.outcomes.get(1)).toMatchObject({
    error: {
      code: 'NBD_REQUEST_FAILED',
      errorName: 'EIO',
      serverMessage: 'a bad\nsector',
      offset: BASE + 100n,
      message: 'the NBD server answered READ with EIO at offset 4196: a bad sector',
      faults: [{ error: 5 }, { error: 28, offset: BASE + 4095n }],
    },
  });
});

test.each(CHUNKED)('%s: an error of an unknown kind is an error, and the stream goes on', (mode) => {
  const { scene, framing } = readScene(mode);
  scene.status(2, 'FLUSH', 0n, 0n);
  const fault = fields([32, 4711], [16, 2], 'no', [64, 1], [64, 2]);
  scene.machine.push(Buffer.concat([chunk(framing, 0x8777, DONE, fault), none(scene.framing(2, 0n))]));
  expect(scene.outcomes.get(1)).toMatchObject({ error: { errorName: 'EINVAL', serverMessage: 'no' } });
  expect(scene.outcomes.get(2)).toEqual({ result: undefined });
});

test('with structured replies a simple one is as good for what has no data', () => {
  const scene = new ReplyScene('structured');
  scene.status(1, 'FLUSH', 0n, 0n);
  scene.status(2, 'TRIM', 0n, 512n);
  scene.machine.push(Buffer.concat([simpleReply(2n, 28), simpleReply(1n)]));
  expect(scene.outcomes.get(1)).toEqual({ result: undefined });
  expect(scene.outcomes.get(2)).toMatchObject({ error: { errorName: 'ENOSPC' } });
});

const OUTSIDE: readonly (readonly [bigint, number])[] = [
  [BASE - 1n, 1],
  [BASE + 4096n, 1],
  [BASE + 4000n, 97],
  [0xffff_ffff_ffff_ffffn, 1],
];
for (const mode of CHUNKED) {
  test.each(OUTSIDE)(`T9 ${mode}: data at %d of %d bytes is outside the request`, (offset, length) => {
    expect(readViolation(mode, (framing) => offsetData(framing, offset, DATA.subarray(0, length)))).toBe(
      'data-outside-request',
    );
    expect(readViolation(mode, (framing) => offsetHole(framing, offset, length))).toBe(
      'data-outside-request',
    );
  });

  const broken: readonly (readonly [string, Violation, (framing: Framing) => Uint8Array, boolean?])[] = [
    [
      'the same data twice',
      'overlapping-data',
      (f) =>
        Buffer.concat([
          offsetData(f, BASE + 8n, DATA.subarray(0, 8)),
          offsetData(f, BASE + 15n, DATA.subarray(0, 8)),
        ]),
    ],
    [
      'a hole over data',
      'overlapping-data',
      (f) => Buffer.concat([offsetData(f, BASE + 8n, DATA.subarray(0, 8)), offsetHole(f, BASE, 4096)]),
    ],
    [
      'data over an error',
      'overlapping-data',
      (f) =>
        Buffer.concat([errorOffset(f, 5, BASE + 9n, '', 0), offsetData(f, BASE + 8n, DATA.subarray(0, 8))]),
    ],
    [
      'the end before all data',
      'incomplete-data',
      (f) => Buffer.concat([offsetData(f, BASE, DATA.subarray(0, 4095)), none(f)]),
    ],
    ['no data at all', 'incomplete-data', (f) => none(f)],
    [
      'two pieces with DF',
      'fragmented-data',
      (f) => Buffer.concat([offsetData(f, BASE, DATA.subarray(0, 8)), offsetHole(f, BASE + 8n, 4088, DONE)]),
      true,
    ],
    ['an error outside', 'error-outside-request', (f) => errorOffset(f, 5, BASE + 4096n)],
    ['NONE without DONE', 'none-without-done', (f) => chunk(f, 0, 0)],
    ['NONE with a payload', 'malformed-chunk', (f) => chunk(f, 0, DONE, Buffer.alloc(1))],
    ['data of no bytes', 'malformed-chunk', (f) => chunk(f, 1, DONE, fields([64, BASE]))],
    ['a hole of no bytes', 'malformed-chunk', (f) => offsetHole(f, BASE, 0)],
    ['a hole of a wrong length', 'malformed-chunk', (f) => chunk(f, 2, 0, Buffer.alloc(13))],
    ['an error of no kind', 'malformed-chunk', (f) => errorChunk(f, 0)],
    ['an error without a length', 'malformed-chunk', (f) => chunk(f, 0x8001, DONE, Buffer.alloc(5))],
    [
      'a text beyond its chunk',
      'malformed-chunk',
      (f) => chunk(f, 0x8001, DONE, fields([32, 5], [16, 2], 'x')),
    ],
    ['an error of 9 KiB', 'malformed-chunk', (f) => chunk(f, 0x8001, DONE, Buffer.alloc(9 * 1024, 1))],
    ['an unknown chunk', 'unknown-chunk', (f) => chunk(f, 4, 0, Buffer.alloc(9))],
    ['block status for a READ', 'unexpected-chunk', (f) => blockStatus(f, 7, [[1, 0]])],
    ['an unknown cookie', 'unknown-cookie', (f) => none({ ...f, cookie: 99n })],
    ['a cookie beyond 2^53 that rounds to ours', 'unknown-cookie', (f) => none({ ...f, cookie: 1n << 63n })],
    ['a second end', 'unknown-cookie', (f) => Buffer.concat([offsetHole(f, BASE, 4096, DONE), none(f)])],
    ['no magic', 'bad-reply-magic', () => Buffer.alloc(32)],
  ];
  for (const [what, violation, stream, df] of broken)
    test(`T9 T19 ${mode}: ${what} ends the connection: ${violation}`, () => {
      const { scene, framing } = readScene(mode, df ?? false);
      expect(
        violationOf(() => {
          scene.machine.push(stream(framing));
        }),
      ).toBe(violation);
    });

  test(`A6 T19 ${mode}: a chunk of more than 64 MiB ends the connection at its header, one of 64 MiB does not`, () => {
    const header = (f: Framing, length: number) => {
      const bytes = chunk(f, 1, 0);
      if (f.extended) bytes.writeBigUInt64BE(BigInt(length), 24);
      else bytes.writeUInt32BE(length, 16);
      return bytes;
    };
    const MAX = 64 * 1024 * 1024;
    expect(readViolation(mode, (f) => header(f, MAX + 1))).toBe('chunk-too-large');
    const { scene, framing } = readScene(mode);
    scene.machine.push(header(framing, MAX));
    expect(scene.machine.bufferedBytes).toBe(0);
  });

  test(`${mode}: a chunk with data in answer to a WRITE ends the connection`, () => {
    const scene = new ReplyScene(mode);
    scene.status(1, 'WRITE', BASE, 4096n);
    expect(
      violationOf(() => {
        scene.machine.push(offsetData(scene.framing(1, BASE), BASE, DATA));
      }),
    ).toBe('unexpected-chunk');
  });

  test(`T19 ${mode}: more than 1024 errors in one reply end the connection`, () => {
    const { scene, framing } = readScene(mode);
    const fault = errorOffset(framing, 5, BASE, '', 0);
    for (let count = 0; count < 1024; count += 1) scene.machine.push(fault);
    expect(
      violationOf(() => {
        scene.machine.push(fault);
      }),
    ).toBe('too-many-errors');
  });
}

test('T8 with structured replies a READ is not answered by a simple one, not even with an error', () => {
  expect(readViolation('structured', () => simpleReply(1n, 22))).toBe('simple-read-reply');
});

test('T8 with extended headers no reply is simple or structured', () => {
  const { scene } = readScene('extended');
  scene.status(2, 'FLUSH', 0n, 0n);
  const padded = Buffer.concat([simpleReply(2n), Buffer.alloc(16)]);
  expect(
    violationOf(() => {
      scene.machine.push(padded);
    }),
  ).toBe('bad-reply-magic');
  const structured = Buffer.concat([none({ extended: false, cookie: 1n, offset: BASE }), Buffer.alloc(12)]);
  expect(readViolation('extended', () => structured)).toBe('bad-reply-magic');
});

test('without structured replies there are no chunks', () => {
  expect(readViolation('simple', () => none({ extended: false, cookie: 1n, offset: BASE }))).toBe(
    'bad-reply-magic',
  );
});

test('a reply that began in chunks does not end by a simple one', () => {
  const scene = new ReplyScene('structured');
  scene.status(1, 'TRIM', 0n, 512n);
  const framing = scene.framing(1, 0n);
  expect(
    violationOf(() => {
      scene.machine.push(Buffer.concat([errorChunk(framing, 5, '', 0), simpleReply(1n)]));
    }),
  ).toBe('mixed-reply');
});

test('T12 an extended reply echoes the offset of its request, bit for bit up to 2^53 and rounded alike beyond', () => {
  expect(readViolation('extended', (framing) => none({ ...framing, offset: BASE + 1n }))).toBe(
    'wrong-offset',
  );
  const scene = new ReplyScene('extended');
  const offset = 0xffff_ffff_ffff_fffen;
  scene.status(1, 'TRIM', offset, 1n);
  scene.machine.push(errorChunk(scene.framing(1, offset), 22));
  expect(scene.outcomes.get(1)).toMatchObject({ error: { errorName: 'EINVAL' } });
});

test('a hole of 64 bits has no place without extended headers', () => {
  expect(readViolation('structured', (f) => chunk(f, 3, 0, fields([64, BASE], [64, 1])))).toBe(
    'unexpected-chunk',
  );
});

test('unknown reply flags are ignored', () => {
  const { scene, framing } = readScene('structured');
  scene.machine.push(offsetHole(framing, BASE, 4096, DONE | 0xfffe));
  expect(scene.outcomes.get(1)).toEqual({ result: Buffer.alloc(4096) });
});

test('after a broken rule nothing is read any more', () => {
  const { scene } = readScene('structured');
  expect(() => {
    scene.machine.push(Buffer.alloc(20));
  }).toThrow(NbdProtocolError);
  expect(() => {
    scene.machine.push(Buffer.alloc(20));
  }).toThrow('nothing is read from a stream after a broken rule');
});
