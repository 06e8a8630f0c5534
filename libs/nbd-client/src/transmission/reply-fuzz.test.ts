import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NbdProtocolError } from '../errors/protocol-error.js';
import { ReplyScene } from '../testing/reply-scene.js';
import {
  blockStatus,
  chunk,
  errorChunk,
  errorOffset,
  offsetData,
  offsetHole,
  simpleReply,
} from '../testing/wire.js';

const MODES = ['simple', 'structured', 'extended'] as const;
type Mode = (typeof MODES)[number];

/** In all, ten thousand and more cases for each property. */
const RUNS_PER_MODE = 3_500;

/** Seconds on an idle machine, more on a busy one. */
const FUZZ_MS = 120_000;

/** A header and one payload of a stream of 64 KiB may be held, and nothing above that. */
const HELD_BYTES_MAX = 64 * 1024;

function scene(mode: Mode): ReplyScene {
  const made = new ReplyScene(mode);
  made.read(1, 4096n, 4096);
  made.read(2, 0n, 65_536, true);
  made.status(3, 'WRITE', 512n, 512n);
  made.status(4, 'FLUSH', 0n, 0n);
  if (mode !== 'simple') {
    made.blockStatus(5, 0n, 1n << 20n);
    made.blockStatus(6, 4096n, 4096n, {
      reqOne: true,
      contexts: [
        { id: 7, name: 'base:allocation' },
        { id: 8, name: 'x-test:other' },
      ],
    });
  }
  return made;
}

const OFFSETS = [0n, 4096n, 0n, 512n, 0n, 0n, 4096n];

/** Messages that are right in part: the more of them are, the deeper the machine is reached. */
function messages(mode: Mode): fc.Arbitrary<Uint8Array> {
  const cookie = fc.integer({ min: 0, max: 7 });
  const offset = fc.oneof(
    fc.bigInt({ min: 0n, max: 9000n }),
    fc.constantFrom(4096n, 0n, 512n, 8192n, (1n << 64n) - 1n),
  );
  const data = fc.uint8Array({ maxLength: 200 });
  const flags = fc.constantFrom(0, 1);
  const framed = cookie.chain((value) => {
    const framing = {
      extended: mode === 'extended',
      cookie: BigInt(value),
      offset: OFFSETS[value] ?? 0n,
    };
    const extents = fc.array(
      fc.tuple(fc.constantFrom(0, 1, 512, 4096, 0xffff_ffff), fc.integer({ min: 0, max: 3 })),
      { maxLength: 4 },
    );
    return fc.oneof(
      fc.tuple(offset, data, flags).map(([at, bytes, flag]) => offsetData(framing, at, bytes, flag)),
      fc
        .tuple(offset, fc.integer({ min: 0, max: 9000 }), flags)
        .map(([at, size, flag]) => offsetHole(framing, at, size, flag)),
      fc
        .tuple(fc.constantFrom(7, 8, 9), extents, flags)
        .map(([id, list, flag]) => blockStatus(framing, id, list, flag)),
      fc
        .tuple(fc.constantFrom(0, 5, 22, 108, 999), fc.string({ maxLength: 20 }), flags)
        .map(([error, text, flag]) => errorChunk(framing, error, text, flag)),
      fc
        .tuple(fc.constantFrom(5, 28), offset, flags)
        .map(([error, at, flag]) => errorOffset(framing, error, at, 'x', flag)),
      fc
        .tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 0xffff }), data)
        .map(([type, flag, bytes]) => chunk(framing, type, flag, bytes)),
      flags.map((flag) => chunk(framing, 0, flag)),
    );
  });
  const simple = fc
    .tuple(cookie, fc.constantFrom(0, 0, 5, 1000), data)
    .map(([value, error, bytes]) => simpleReply(BigInt(value), error, bytes));
  return fc.oneof(mode === 'simple' ? simple : framed, framed, simple, data);
}

/** Pushes a stream in pieces, until its end or a broken rule. @returns the rule, or undefined */
function run(mode: Mode, stream: Uint8Array, cuts: readonly number[]): string | undefined {
  const { machine, outcomes } = scene(mode);
  const at = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  try {
    let from = 0;
    for (const to of [...at, stream.length]) {
      machine.push(stream.subarray(from, to));
      if (machine.bufferedBytes > HELD_BYTES_MAX) throw new Error('more is held than one message');
      from = to;
    }
    return `fine ${JSON.stringify([...outcomes].map(([cookie, outcome]) => [cookie, typeof outcome === 'string' ? outcome : 'error' in outcome]))}`;
  } catch (error) {
    if (!(error instanceof NbdProtocolError)) throw error;
    return error.violation;
  }
}

test.each(MODES)(
  'T19 whatever bytes come instead of %s replies, they are read or refused by name, wherever they are split',
  (mode) => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(messages(mode), { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat({ max: 4000 }), { maxLength: 6 }),
        (parts, cuts) => {
          const stream = Buffer.concat(parts);
          const outcome = run(mode, stream, cuts);
          seen.add(outcome?.startsWith('fine') === true ? 'fine' : String(outcome));
          expect(run(mode, stream, [])).toBe(outcome);
        },
      ),
      { numRuns: RUNS_PER_MODE },
    );
    // A generator that reaches little proves little.
    expect(seen.size).toBeGreaterThan(mode === 'simple' ? 2 : 12);
  },
  FUZZ_MS,
);

test.each(MODES)(
  'T19 good %s replies with bytes overwritten are read or refused by name',
  (mode) => {
    const good = Buffer.concat(
      mode === 'simple'
        ? [simpleReply(3n), simpleReply(1n, 0, Buffer.alloc(4096, 1)), simpleReply(4n)]
        : [
            offsetData(scene(mode).framing(1, 4096n), 4096n, Buffer.alloc(4000, 1)),
            chunk(scene(mode).framing(3, 512n), 0, 1),
            blockStatus(scene(mode).framing(5, 0n), 7, [
              [512, 0],
              [1 << 20, 3],
            ]),
            offsetHole(scene(mode).framing(1, 4096n), 8096n, 96, 1),
            errorOffset(scene(mode).framing(2, 0n), 5, 100n, 'text', 1),
          ],
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.nat({ max: good.length }),
        (changes, cut) => {
          const stream = Buffer.from(good);
          for (const [at, byte] of changes) stream[at] = byte;
          expect(run(mode, stream, [cut])).toBe(run(mode, stream, []));
        },
      ),
      { numRuns: RUNS_PER_MODE },
    );
  },
  FUZZ_MS,
);
