import { expect, test } from 'vitest';
import { NbdProtocolError, type Violation } from '../../errors/protocol-error.js';
import { ReplyScene } from '../../testing/reply-scene.js';
import { blockStatus, chunk, DONE, errorChunk, fields, none, type Framing } from '../../testing/wire.js';
import type { BlockStatusFacts, ContextExtents } from './block-status-reply.js';

const MODES = ['structured', 'extended'] as const;
const OFFSET = 65_536n;
const LENGTH = 8192n;
const TWO = [
  { id: 7, name: 'base:allocation' },
  { id: 0xffff_ffff, name: 'qemu:dirty-bitmap:b' },
];

function scene(mode: (typeof MODES)[number], facts: Partial<BlockStatusFacts> = {}) {
  const made = new ReplyScene(mode);
  made.blockStatus(1, OFFSET, LENGTH, facts);
  return { scene: made, framing: made.framing(1, OFFSET) };
}

/** What a stream comes to: extents by context, or the name of the broken rule. */
function outcome(
  mode: (typeof MODES)[number],
  stream: (framing: Framing) => Uint8Array,
  facts: Partial<BlockStatusFacts> = {},
): unknown {
  const { scene: made, framing } = scene(mode, facts);
  try {
    made.machine.push(stream(framing));
  } catch (error) {
    if (error instanceof NbdProtocolError) return error.violation;
    throw error;
  }
  const settled = made.outcomes.get(1);
  if (settled === undefined || settled === 'waiting' || 'error' in settled) return settled;
  return (settled.result as ContextExtents[]).map(({ context, extents }) => [context, ...extents]);
}

for (const mode of MODES) {
  test(`B2 ${mode}: extents come out in 64 bits, one list for each context in the order of selection`, () => {
    expect(
      outcome(
        mode,
        (f) =>
          Buffer.concat([
            blockStatus(f, 0xffff_ffff, [[4_294_967_295, 0xffff_ffff]]),
            blockStatus(
              f,
              7,
              [
                [4096, 3],
                [4096, 0],
              ],
              DONE,
            ),
          ]),
        { contexts: TWO },
      ),
    ).toEqual([
      [
        'base:allocation',
        { offset: OFFSET, length: 4096n, flags: 3n },
        { offset: OFFSET + 4096n, length: 4096n, flags: 0n },
      ],
      ['qemu:dirty-bitmap:b', { offset: OFFSET, length: 4_294_967_295n, flags: 0xffff_ffffn }],
    ]);
  });

  const broken: readonly (readonly [
    string,
    Violation,
    (framing: Framing) => Uint8Array,
    Partial<BlockStatusFacts>?,
  ])[] = [
    ['a context that was not asked for', 'unknown-context', (f) => blockStatus(f, 8, [[1, 0]])],
    [
      'a context twice',
      'repeated-context',
      (f) => Buffer.concat([blockStatus(f, 7, [[1, 0]]), blockStatus(f, 7, [[1, 0]])]),
      { contexts: TWO },
    ],
    [
      'more chunks than contexts',
      'repeated-context',
      (f) => Buffer.concat([blockStatus(f, 7, [[1, 0]]), blockStatus(f, 7, [[1, 0]])]),
    ],
    [
      'success without a context',
      'missing-context',
      (f) => blockStatus(f, 7, [[1, 0]], DONE),
      { contexts: TWO },
    ],
    ['success with nothing', 'missing-context', (f) => none(f)],
    ['no extent', 'malformed-chunk', (f) => blockStatus(f, 7, [])],
    [
      'an extent of no bytes',
      'malformed-chunk',
      (f) =>
        blockStatus(f, 7, [
          [512, 0],
          [0, 1],
        ]),
    ],
    [
      'extents behind the end of the range',
      'extents-beyond-request',
      (f) =>
        blockStatus(f, 7, [
          [8192, 0],
          [1, 1],
        ]),
    ],
    [
      'two extents with REQ_ONE',
      'extents-beyond-request',
      (f) =>
        blockStatus(f, 7, [
          [512, 0],
          [512, 1],
        ]),
      { reqOne: true },
    ],
    [
      'an extent beyond the range with REQ_ONE',
      'extents-beyond-request',
      (f) => blockStatus(f, 7, [[8193, 0]]),
      { reqOne: true },
    ],
    [
      'an extent that is no multiple of the block size',
      'misaligned-extent',
      (f) => blockStatus(f, 7, [[4095, 0]]),
      { blockSizeMinimum: 4096 },
    ],
  ];
  for (const [what, violation, stream, facts] of broken)
    test(`T11 ${mode}: ${what} ends the connection: ${violation}`, () => {
      expect(outcome(mode, stream, facts)).toBe(violation);
    });

  test(`T11 ${mode}: the last extent may go on after the range, and need not be a multiple at the end of the export`, () => {
    const facts = { blockSizeMinimum: 4096, exportSize: OFFSET + 10_000n };
    expect(
      outcome(
        mode,
        (f) =>
          blockStatus(
            f,
            7,
            [
              [4096, 0],
              [5904, 1],
            ],
            DONE,
          ),
        facts,
      ),
    ).toEqual([
      [
        'base:allocation',
        { offset: OFFSET, length: 4096n, flags: 0n },
        { offset: OFFSET + 4096n, length: 5904n, flags: 1n },
      ],
    ]);
  });

  test(`B1 ${mode}: the other form of block status ends the connection, at its header`, () => {
    const type = mode === 'extended' ? 5 : 6;
    const payload = Buffer.alloc(mode === 'extended' ? 12 : 24, 1);
    expect(outcome(mode, (f) => chunk(f, type, 0, payload))).toBe('wrong-block-status');
    const { scene: made, framing } = scene(mode);
    const header = chunk(framing, type, 0, payload).subarray(0, -payload.length);
    expect(() => {
      made.machine.push(header);
    }).toThrow('the form that was not negotiated');
  });

  test(`B6 ${mode}: lengths are held against the form before the payload is awaited`, () => {
    const size = mode === 'extended' ? 16 : 8;
    const start = mode === 'extended' ? 8 : 4;
    const type = mode === 'extended' ? 6 : 5;
    for (const length of [0, start, start + size - 1, start + size + 1]) {
      expect(
        outcome(mode, (f) => chunk(f, type, 0, Buffer.alloc(length, 1)).subarray(0, f.extended ? 32 : 20)),
        String(length),
      ).toBe('malformed-chunk');
    }
  });

  test(`A5 ${mode}: 2^20 extents of one byte are all there, one more ends the connection`, () => {
    const count = 2 ** 20;
    const payload = Buffer.alloc(mode === 'extended' ? 8 + 16 * count : 4 + 8 * count);
    payload.writeUInt32BE(7);
    for (let index = 0; index < count; index += 1) {
      if (mode === 'extended') {
        payload.writeUInt32BE(1, 8 + 16 * index + 4);
        payload.writeUInt32BE(index & 3, 8 + 16 * index + 12);
      } else {
        payload.writeUInt32BE(1, 4 + 8 * index);
        payload.writeUInt32BE(index & 3, 4 + 8 * index + 4);
      }
    }
    const made = new ReplyScene(mode);
    made.blockStatus(1, OFFSET, 1n << 30n);
    made.machine.push(chunk(made.framing(1, OFFSET), mode === 'extended' ? 6 : 5, DONE, payload));
    const settled = made.outcomes.get(1);
    if (settled === undefined || settled === 'waiting' || 'error' in settled) throw new Error('no extents');
    const [answer] = settled.result as ContextExtents[];
    expect(answer?.extents.count).toBe(count);
    expect(answer?.extents.totalLength).toBe(BigInt(count));
    expect(answer?.extents.flagsOf(count - 1)).toBe(BigInt((count - 1) & 3));

    const more = Buffer.alloc(payload.length + (mode === 'extended' ? 16 : 8));
    expect(outcome(mode, (f) => chunk(f, mode === 'extended' ? 6 : 5, DONE, more))).toBe('too-many-extents');
  });
}

test('B6 a count that is not 0 must be that of the extents', () => {
  const payload = (count: number) => fields([32, 7], [32, count], [64, 512], [64, 0], [64, 512], [64, 1]);
  expect(outcome('extended', (f) => chunk(f, 6, DONE, payload(3)))).toBe('malformed-chunk');
  expect(outcome('extended', (f) => chunk(f, 6, DONE, payload(1)))).toBe('malformed-chunk');
  for (const count of [0, 2]) {
    expect(outcome('extended', (f) => chunk(f, 6, DONE, payload(count)))).toHaveLength(1);
  }
});

test('B2 lengths and flags of 64 bits come through without loss', () => {
  const length = (1n << 64n) - 1n - OFFSET;
  const flags = 0xfedc_ba98_7654_3211n;
  expect(outcome('extended', (f) => blockStatus(f, 7, [[length, flags]], DONE))).toEqual([
    ['base:allocation', { offset: OFFSET, length, flags }],
  ]);
});

test('an error in answer to BLOCK_STATUS needs no status chunks', () => {
  expect(outcome('structured', (f) => errorChunk(f, 22, 'no'))).toMatchObject({
    error: { errorName: 'EINVAL' },
  });
});
