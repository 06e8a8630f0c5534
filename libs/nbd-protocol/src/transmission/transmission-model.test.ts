import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Command } from '../constants/commands.js';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import { expectBytes } from '../testing/expect-bytes.js';
import { MemoryDriver, type MemoryDriverOptions, OFFER_ALL } from '../testing/memory-driver.js';
import { type ReferenceExport, serveByReference } from '../testing/reference-server.js';
import { inChunks, pattern, requestBytes } from '../testing/wire.js';

const PAYLOAD_MAXIMUM = 6000;
const SIZE_MAX = 8192;

const oneOf = <Value>(...values: readonly Value[]) => fc.constantFrom(...values);

const subject = fc.record({
  sizeBytes: fc.oneof(fc.nat({ max: SIZE_MAX }), { weight: 5, arbitrary: oneOf(SIZE_MAX) }),
  transmissionFlags: fc.oneof(
    { weight: 8, arbitrary: oneOf(OFFER_ALL) },
    oneOf(OFFER_ALL | TransmissionFlag.READ_ONLY),
    fc.nat({ max: 0xffff }).map((flags) => flags | TransmissionFlag.SEND_WRITE_ZEROES),
  ),
  blockSizeMinimum: fc.oneof({ weight: 6, arbitrary: oneOf(1) }, oneOf(2, 512)),
});

const buffers = fc.record({
  inputBytes: fc.oneof(oneOf(64, 512, 8192), fc.integer({ min: 64, max: 8192 })),
  outputBytes: fc.oneof(oneOf(64, 512, 8192), fc.integer({ min: 64, max: 8192 })),
  sendThreshold: fc.integer({ min: 1, max: 9000 }),
  writeThreshold: fc.integer({ min: 1, max: 9000 }),
  transferMinimum: fc.oneof(oneOf(Infinity), fc.nat({ max: 1000 })),
});

const chunkSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9000 })), {
  minLength: 1,
  maxLength: 6,
});

const offset = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: SIZE_MAX }).map(BigInt) },
  { weight: 8, arbitrary: fc.nat({ max: 16 }).map((block) => BigInt(block * 512)) },
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const shortLength = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 300 }) },
  { weight: 4, arbitrary: fc.nat({ max: 8 }).map((block) => block * 512) },
  { weight: 2, arbitrary: fc.nat({ max: PAYLOAD_MAXIMUM + 20 }) },
);
const length = fc.oneof({ weight: 20, arbitrary: shortLength }, fc.nat({ max: 0xffff_ffff }));
const flags = fc.oneof({ weight: 20, arbitrary: oneOf(0, 1) }, oneOf(2, 3, 16), fc.nat({ max: 0xffff }));
const cookie = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

const write = fc
  .record({
    type: oneOf(Command.WRITE),
    flags,
    cookie,
    offset,
    length: shortLength,
    seed: fc.nat({ max: 255 }),
  })
  .map(({ seed, ...request }) => requestBytes({ ...request, payload: pattern(request.length, seed) }));
const others = fc.record({
  type: fc.oneof(
    { weight: 9, arbitrary: oneOf(Command.READ, Command.READ, Command.TRIM, Command.WRITE_ZEROES) },
    oneOf<number>(Command.FLUSH, 5, 7, 8, 0xffff),
  ),
  flags,
  cookie,
  offset,
  length,
});
const flush = fc
  .record({ type: oneOf(Command.FLUSH), flags, cookie })
  .map((request) => requestBytes({ ...request, length: 0 }));
const rarely = fc.oneof(
  oneOf(requestBytes({ type: Command.DISC, cookie: 9n })),
  oneOf(requestBytes({ type: Command.WRITE, length: PAYLOAD_MAXIMUM + 1 })),
  fc.uint8Array({ minLength: 1, maxLength: 60, size: 'max' }),
);
const request = fc.oneof(
  { weight: 12, arbitrary: write },
  { weight: 16, arbitrary: others.map(requestBytes) },
  { weight: 4, arbitrary: flush },
  { weight: 1, arbitrary: rarely },
);
const session = fc
  .tuple(
    fc.array(request, { maxLength: 14, size: 'max' }),
    fc.oneof({ weight: 5, arbitrary: oneOf(0) }, fc.nat(40)),
  )
  .map(([requests, missing]) => Buffer.concat(requests).subarray(0, missing === 0 ? undefined : -missing));

interface Case {
  readonly stream: Uint8Array;
  readonly chunkSizes: readonly number[];
  readonly subject: { sizeBytes: number; transmissionFlags: number; blockSizeMinimum: number };
  readonly buffers: Pick<
    MemoryDriverOptions,
    'inputBytes' | 'outputBytes' | 'sendThreshold' | 'writeThreshold' | 'transferMinimum'
  >;
}

function referenceOf(subject: Case['subject']): ReferenceExport {
  return { ...subject, image: pattern(subject.sizeBytes), payloadMaximum: PAYLOAD_MAXIMUM };
}

/** Every request costs a bounded number of steps, every byte at most a receive and a piece of a write. */
function stepsMax(streamLength: number, outputBytes: number): number {
  const perRead = 2 * Math.ceil((16 + PAYLOAD_MAXIMUM) / (outputBytes - 16)) + 4;
  return 8 + 3 * streamLength + Math.ceil(streamLength / 28) * perRead;
}

function drive({ stream, chunkSizes, subject, buffers }: Case, options: Partial<MemoryDriverOptions> = {}) {
  const driver = new MemoryDriver({ ...referenceOf(subject), ...buffers, ...options });
  driver.serve(inChunks(stream, chunkSizes));
  const { inputBytes = 0, outputBytes = 0 } = buffers;
  expect(driver.steps).toBeLessThanOrEqual(stepsMax(stream.length, outputBytes));
  expect(driver.bufferedBytesMax).toBeLessThanOrEqual(inputBytes + outputBytes);
  return driver;
}

describe('against the reference server', () => {
  const cases = fc.record({ stream: session, chunkSizes, subject, buffers });

  test('T1–T7 T15 T18 every session has the same replies, image and end', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const reference = serveByReference(one.stream, referenceOf(one.subject));
        const driver = drive(one);
        expect(driver.closeReason).toBe(reference.closeReason);
        expectBytes(driver.sent, reference.replies);
        // Of a WRITE whose payload broke off, pieces may be on the export.
        if (reference.closeReason !== 'truncated-request') expectBytes(driver.image, reference.image);
      }),
      { numRuns: 10_000 },
    );
  });

  test('T3 a WRITE that fails in any piece is answered once, in sync', () => {
    fc.assert(
      fc.property(cases, fc.nat({ max: SIZE_MAX }), (one, badByte) => {
        const subject = { ...referenceOf(one.subject), badByte };
        const reference = serveByReference(one.stream, subject);
        const driver = drive(one, {
          fault: ({ step, fileOffset = 0, length = 0 }) =>
            step !== 'read' && step !== 'transfer' && fileOffset <= badByte && badByte < fileOffset + length
              ? 5
              : 0,
        });
        expect(driver.closeReason).toBe(reference.closeReason);
        // What a READ finds where a WRITE failed half-way is not defined: lengths are compared, and all else.
        expect(driver.sent.length).toBe(reference.replies.length);
        expect(driver.machine.counters.errors).toBe(reference.errors);
      }),
      { numRuns: 5000 },
    );
  });

  test('T16 once shutting down, every request but DISC is ESHUTDOWN', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const subject = { ...referenceOf(one.subject), shuttingDown: true };
        const reference = serveByReference(one.stream, subject);
        const driver = new MemoryDriver({ ...subject, ...one.buffers });
        driver.machine.beginShutdown();
        driver.serve(inChunks(one.stream, one.chunkSizes));
        expect(driver.closeReason).toBe(reference.closeReason);
        expectBytes(driver.sent, reference.replies);
        expectBytes(driver.image, subject.image);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('whatever comes', () => {
  const recorded = Buffer.concat([
    requestBytes({ type: Command.READ, cookie: 1n, offset: 5, length: 50 }),
    requestBytes({ type: Command.WRITE, cookie: 2n, offset: 40, payload: pattern(90) }),
    requestBytes({ type: Command.FLUSH, cookie: 3n }),
    requestBytes({ type: Command.TRIM, cookie: 4n, offset: 512, length: 512 }),
    requestBytes({ type: Command.WRITE_ZEROES, cookie: 5n, flags: 2, length: 100 }),
    requestBytes({ type: Command.READ, cookie: 6n, length: 2000 }),
    requestBytes({ type: Command.DISC }),
  ]);
  const mutation = fc.record({
    at: fc.nat({ max: recorded.length }),
    removed: fc.nat({ max: 3 }),
    added: fc.uint8Array({ maxLength: 3 }),
  });
  const mutated = fc
    .array(mutation, { minLength: 1, maxLength: 4 })
    .map((mutations) =>
      mutations.reduce(
        (bytes, { at, removed, added }) =>
          Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]),
        recorded,
      ),
    );

  test.each([
    ['random bytes', fc.uint8Array({ maxLength: 200, size: 'max' })],
    [
      'requests of random fields',
      fc.array(fc.uint8Array({ minLength: 24, maxLength: 24 }), { maxLength: 6 }).map(withMagic),
    ],
    ['a recorded session, mutated', mutated],
  ])('T7 %s never throw, never hang, never exceed the buffers', (_name, streams) => {
    fc.assert(
      fc.property(fc.record({ stream: streams, chunkSizes, subject, buffers }), (one) => {
        const reference = serveByReference(one.stream, referenceOf(one.subject));
        const driver = drive(one);
        expect(driver.closeReason).toBe(reference.closeReason);
        expectBytes(driver.sent, reference.replies);
      }),
      { numRuns: 10_000 },
    );
  });
});

/** Random fields behind the right magic get further than random bytes. */
function withMagic(fields: readonly Uint8Array[]): Buffer {
  const magic = Buffer.from('25609513', 'hex');
  return Buffer.concat(fields.flatMap((bytes) => [magic, bytes]));
}
