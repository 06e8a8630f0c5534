import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Command } from '../constants/commands.js';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import type { ReplyMode } from '../handshake/reply-mode.js';
import { chunkedRepliesOf } from '../testing/chunks.js';
import { expectAnswers } from '../testing/expect-answers.js';
import { expectBytes } from '../testing/expect-bytes.js';
import { MemoryDriver, type MemoryDriverOptions, OFFER_ALL, OFFER_MORE } from '../testing/memory-driver.js';
import {
  type ReferenceExport,
  type ReferenceOutcome,
  serveByReference,
} from '../testing/reference-server.js';
import { filterBytes, inChunks, pattern, requestBytesIn, type RequestText } from '../testing/wire.js';

const PAYLOAD_MAXIMUM = 6000;
const SIZE_MAX = 8192;

const oneOf = <Value>(...values: readonly Value[]) => fc.constantFrom(...values);

const CONTEXTS = [
  { id: 7, name: 'base:allocation' },
  { id: 0xffff_ffff, name: 'qemu:allocation-depth' },
];

const REPLY_MODES: readonly ReplyMode[] = ['simple', 'structured', 'extended'];

/** Runs of one state, which is what files have. */
const states = fc
  .array(
    fc.record({
      length: fc.oneof(
        fc.nat(2000),
        fc.nat(9).map((block) => block * 512),
      ),
      state: fc.nat(3),
    }),
  )
  .map((runs) => {
    const bytes = new Uint8Array(SIZE_MAX);
    let at = 0;
    for (const { length, state } of runs) bytes.fill(state, at, (at += length));
    return bytes;
  });

const subjectIn = (...replyModes: readonly ReplyMode[]) =>
  fc
    .record({
      replyMode: oneOf(...replyModes),
      sizeBytes: fc.oneof(fc.nat({ max: SIZE_MAX }), { weight: 5, arbitrary: oneOf(SIZE_MAX) }),
      offered: fc.oneof(
        { weight: 8, arbitrary: oneOf(0xffff & ~TransmissionFlag.READ_ONLY) },
        oneOf(0xffff),
        fc.nat({ max: 0xffff }),
      ),
      blockSizeMinimum: fc.oneof({ weight: 6, arbitrary: oneOf(1) }, oneOf(2, 512)),
      metaContexts: fc.shuffledSubarray(CONTEXTS),
      allocation: states,
      depth: states,
    })
    .map(({ replyMode, offered, metaContexts, allocation, depth, sizeBytes, ...rest }): Subject => {
      const possible = OFFER_ALL | TransmissionFlag.READ_ONLY | OFFER_MORE[replyMode];
      const base = allocation.subarray(0, sizeBytes);
      const zero = (at: number) => ((base[at] ?? 0) & 2) !== 0;
      return {
        ...rest,
        replyMode,
        transmissionFlags: (offered & possible) | TransmissionFlag.SEND_WRITE_ZEROES,
        metaContexts: replyMode === 'simple' ? [] : metaContexts,
        states: { 'base:allocation': base, 'qemu:allocation-depth': depth.subarray(0, sizeBytes) },
        image: pattern(sizeBytes).map((byte, at) => (zero(at) ? 0 : byte)),
        payloadMaximum: PAYLOAD_MAXIMUM,
      };
    });
type Subject = Required<Omit<ReferenceExport, 'shuttingDown' | 'badByte'>>;

const buffers = fc.record({
  inputBytes: fc.oneof(oneOf(64, 512, 8192), fc.integer({ min: 64, max: 8192 })),
  outputBytes: fc.oneof(oneOf(256, 512, 8192), fc.integer({ min: 256, max: 8192 })),
  sendThreshold: fc.integer({ min: 1, max: 9000 }),
  writeThreshold: fc.integer({ min: 1, max: 9000 }),
  transferMinimum: fc.oneof(oneOf(Infinity), fc.nat({ max: 1000 })),
  extentBytesMax: fc.oneof(oneOf(Infinity), fc.integer({ min: 1, max: 600 })),
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
  .record({ flags, cookie, offset, length: shortLength, seed: fc.nat({ max: 255 }) })
  .map(({ seed, length, ...request }) => ({
    ...request,
    type: Command.WRITE,
    payload: pattern(length, seed),
  }));
const { READ, WRITE, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS, DISC } = Command;
const others = fc.record({
  type: fc.oneof(
    { weight: 12, arbitrary: oneOf<number>(READ, READ, TRIM, WRITE_ZEROES, BLOCK_STATUS, BLOCK_STATUS) },
    oneOf<number>(FLUSH, CACHE, 8, 0xffff),
  ),
  flags,
  cookie,
  offset,
  length,
});
const flush = fc.record({ type: oneOf(FLUSH), flags, cookie });
/** A payload where one may be, or may not (T1, T12). */
const withPayload = fc.record({
  type: fc.oneof({ weight: 4, arbitrary: oneOf<number>(BLOCK_STATUS) }, oneOf<number>(READ, TRIM, FLUSH, 99)),
  flags,
  cookie,
  offset,
  payload: fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(shortLength, fc.array(oneOf(7, 7, 0xffff_ffff, 0xffff_ffff, 8), { maxLength: 3 }))
        .map(([effectLength, ids]) => filterBytes(effectLength, ...ids)),
    },
    fc.uint8Array({ maxLength: 300, size: 'max' }),
  ),
});
const rarely = fc.oneof(
  oneOf<RequestText>({ type: DISC, cookie: 9n }),
  oneOf<RequestText>({ type: WRITE, length: PAYLOAD_MAXIMUM + 1, flags: 1 << 5 }),
);
const request: fc.Arbitrary<RequestText | Uint8Array> = fc.oneof(
  { weight: 12, arbitrary: write },
  { weight: 16, arbitrary: others },
  { weight: 4, arbitrary: flush },
  { weight: 4, arbitrary: withPayload },
  { weight: 1, arbitrary: rarely },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 60, size: 'max' }) },
);
const session = fc.record({
  requests: fc.array(request, { maxLength: 14, size: 'max' }),
  missing: fc.oneof({ weight: 5, arbitrary: oneOf(0) }, fc.nat(40)),
});
type Session = typeof session extends fc.Arbitrary<infer Value> ? Value : never;

function streamOf({ requests, missing }: Session, { replyMode }: Subject): Buffer {
  const bytes = requests.map((one) => (one instanceof Uint8Array ? one : requestBytesIn(replyMode, one)));
  return Buffer.concat(bytes).subarray(0, missing === 0 ? undefined : -missing);
}

interface Case {
  readonly stream: Uint8Array;
  readonly chunkSizes: readonly number[];
  readonly subject: Subject;
  readonly buffers: Partial<MemoryDriverOptions>;
}

const cases = fc
  .record({ session, chunkSizes, subject: subjectIn(...REPLY_MODES), buffers })
  .map(({ session, ...rest }): Case => ({ ...rest, stream: streamOf(session, rest.subject) }));

/** Every request costs a bounded number of steps, every byte at most a receive, a piece of a write, and an extent. */
function stepsMax(streamLength: number, outputBytes: number): number {
  const perRead = 2 * Math.ceil((48 + PAYLOAD_MAXIMUM) / (outputBytes - 48)) + 4;
  const perExtent = 3 * SIZE_MAX;
  return 8 + 3 * streamLength + Math.ceil(streamLength / 28) * (perRead + perExtent);
}

function drive({ stream, chunkSizes, subject, buffers }: Case, options: Partial<MemoryDriverOptions> = {}) {
  const driver = new MemoryDriver({ ...subject, ...buffers, ...options });
  driver.serve(inChunks(stream, chunkSizes));
  const { inputBytes = 0, outputBytes = 0 } = buffers;
  expect(driver.steps).toBeLessThanOrEqual(stepsMax(stream.length, outputBytes));
  expect(driver.bufferedBytesMax).toBeLessThanOrEqual(inputBytes + outputBytes);
  return driver;
}

/** Replies in chunks are compared by what they say, since a machine may cut them as it likes. */
function expectReplies(driver: MemoryDriver, reference: ReferenceOutcome, subject: Subject): void {
  if (subject.replyMode === 'simple') expectBytes(driver.sent, reference.replies);
  else expectAnswers(driver.sent, reference.answers, subject.replyMode, subject);
}

describe('against the reference server', () => {
  test('T1–T9 T11 T12 T15 T18 every session has the same replies, image and end', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const reference = serveByReference(one.stream, one.subject);
        const driver = drive(one);
        expect(driver.closeReason).toBe(reference.closeReason);
        expectReplies(driver, reference, one.subject);
        // Of a WRITE whose payload broke off, pieces may be on the export.
        if (reference.closeReason !== 'truncated-request') expectBytes(driver.image, reference.image);
      }),
      { numRuns: 5000 },
    );
  });

  test('T3 a WRITE that fails in any piece is answered once, in sync', () => {
    fc.assert(
      fc.property(cases, fc.nat({ max: SIZE_MAX }), (one, badByte) => {
        const subject = { ...one.subject, badByte };
        const reference = serveByReference(one.stream, subject);
        const driver = drive(one, {
          fault: ({ step, fileOffset = 0, length = 0 }) =>
            ['write', 'trim', 'zero'].includes(step) && fileOffset <= badByte && badByte < fileOffset + length
              ? 5
              : 0,
        });
        expect(driver.closeReason).toBe(reference.closeReason);
        // What a READ finds where a WRITE failed half-way is not defined: lengths are compared, and all else.
        if (subject.replyMode === 'simple') expect(driver.sent.length).toBe(reference.replies.length);
        else
          expect(chunkedRepliesOf(driver.sent, subject.replyMode).map(({ error }) => error)).toEqual(
            errorsOf(reference),
          );
        expect(driver.machine.counters.errors).toBe(reference.errors);
      }),
      { numRuns: 3000 },
    );
  });

  test('T16 once shutting down, every request but DISC is ESHUTDOWN', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const subject = { ...one.subject, shuttingDown: true };
        const reference = serveByReference(one.stream, subject);
        const driver = new MemoryDriver({ ...subject, ...one.buffers });
        driver.machine.beginShutdown();
        driver.serve(inChunks(one.stream, one.chunkSizes));
        expect(driver.closeReason).toBe(reference.closeReason);
        expectReplies(driver, reference, subject);
        expectBytes(driver.image, subject.image);
      }),
      { numRuns: 2000 },
    );
  });
});

describe.each(REPLY_MODES)('whatever comes to %s replies', (replyMode) => {
  const requests: RequestText[] = [
    { type: READ, cookie: 1n, offset: 5, length: 50 },
    { type: WRITE, cookie: 2n, offset: 40, payload: pattern(90) },
    { type: FLUSH, cookie: 3n },
    { type: TRIM, cookie: 4n, offset: 512, length: 512 },
    { type: WRITE_ZEROES, cookie: 5n, flags: 2, length: 100 },
    { type: BLOCK_STATUS, cookie: 6n, length: 5000 },
    { type: CACHE, cookie: 7n, length: 5000 },
    { type: READ, cookie: 8n, length: 2000 },
    ...(replyMode === 'extended'
      ? [{ type: BLOCK_STATUS, cookie: 9n, flags: 8, payload: filterBytes(700, 7) }]
      : []),
    { type: DISC },
  ];
  const recorded = Buffer.concat(requests.map((one) => requestBytesIn(replyMode, one)));
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
      fc
        .array(fc.uint8Array({ minLength: 28, maxLength: 28 }), { maxLength: 6 })
        .map((fields) => withMagic(fields, replyMode)),
    ],
    ['a recorded session, mutated', mutated],
  ])('T7 %s never throw, never hang, never exceed the buffers', (_name, streams) => {
    fc.assert(
      fc.property(
        fc.record({ stream: streams, chunkSizes, subject: subjectIn(replyMode), buffers }),
        (one) => {
          const reference = serveByReference(one.stream, one.subject);
          const driver = drive(one);
          expect(driver.closeReason).toBe(reference.closeReason);
          expectReplies(driver, reference, one.subject);
        },
      ),
      { numRuns: 1500 },
    );
  });
});

/** Random fields behind the right magic get further than random bytes. */
function withMagic(fields: readonly Uint8Array[], replyMode: ReplyMode): Buffer {
  const magic = Buffer.from(replyMode === 'extended' ? '21e41c71' : '25609513', 'hex');
  const bytes = replyMode === 'extended' ? 28 : 24;
  return Buffer.concat(fields.flatMap((field) => [magic, field.subarray(0, bytes)]));
}

function errorsOf({ answers }: ReferenceOutcome): number[] {
  return answers.map(({ error }) => error);
}
