import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Option } from '../constants/options.js';
import { OPTION_BYTES_MAX } from '../limits.js';
import { clientFlags, converse, infoData, option } from '../testing/conversation.js';
import { cutAt, inChunks } from '../testing/wire.js';
import { OPTION_HEADER_BYTES } from './option-header.js';

const sessions = {
  'that asks everything': [
    clientFlags(),
    option(8),
    option(10, 'x-holdfast:query'),
    option(Option.LIST),
    option(Option.LIST, 'data'),
    option(Option.INFO, infoData('missing', 3)),
    option(Option.INFO, infoData('disk', 1, 2, 3, 77)),
    option(Option.INFO, 'short'),
    option(Option.GO, infoData('hidden')),
    option(Option.GO, infoData('disk', 3)),
    Buffer.from('the first request'),
  ],
  'of an old client': [clientFlags(1), option(Option.EXPORT_NAME, 'disk'), Buffer.from('rest')],
  'that is aborted': [clientFlags(), option(Option.INFO, infoData('disk')), option(Option.ABORT, 'bye')],
  'that loses its way': [clientFlags(), option(Option.LIST), Buffer.from('no option at all, but long')],
};
const short = Buffer.concat([
  clientFlags(),
  option(99, 'data'),
  option(Option.GO, infoData('disk', 3)),
  Buffer.from('rest'),
]);

/** What must not depend on how the stream was cut. */
function outcome(chunks: readonly Uint8Array[]) {
  const { sent, questions, end, remainder } = converse(chunks);
  return `${end}|${questions.join()}|${sent.toString('hex')}|${remainder.toString('hex')}`;
}

describe.each(Object.entries(sessions))('a session %s', (_name, messages) => {
  const stream = Buffer.concat(messages);
  const whole = outcome([stream]);

  test('N1 N3 N4 N5 N6 is answered alike when split at every offset', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) expect(outcome(cutAt(stream, cut))).toBe(whole);
  });

  test('N1 N3 N4 N5 N6 is answered alike byte by byte', () => {
    expect(outcome(inChunks(stream, [1]))).toBe(whole);
  });
});

test('a short session is answered alike when split at every pair of offsets', () => {
  const whole = outcome([short]);
  for (let first = 0; first <= short.length; first += 1) {
    for (let second = first; second <= short.length; second += 1) {
      expect(outcome(cutAt(short, first, second))).toBe(whole);
    }
  }
});

describe('whatever comes', () => {
  const recorded = Buffer.concat(sessions['that asks everything']);
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
  const anyOption = fc
    .tuple(fc.oneof(fc.nat({ max: 12 }), fc.nat()), fc.uint8Array({ maxLength: 40, size: 'max' }))
    .map(([code, data]) => option(code, data));
  const options = fc
    .array(anyOption, { maxLength: 36, size: 'max' })
    .map((messages) => Buffer.concat([clientFlags(), ...messages]));
  const chunkSizes = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 5 });

  test.each([
    ['random bytes', fc.uint8Array({ maxLength: 120, size: 'max' })],
    ['random options', options],
    ['a recorded session, mutated', mutated],
  ])('N10 %s never throw, never hang, are never kept beyond one option', (_name, streams) => {
    fc.assert(
      fc.property(streams, chunkSizes, (stream, sizes) => {
        const chunks = inChunks(stream, sizes);
        const { steps, bufferedBytesMax } = converse(chunks);
        expect(steps).toBeLessThanOrEqual(chunks.length + stream.length / OPTION_HEADER_BYTES + 2);
        expect(bufferedBytesMax).toBeLessThan(Math.max(OPTION_BYTES_MAX, OPTION_HEADER_BYTES));
        expect(outcome(chunks)).toBe(outcome([stream]));
      }),
      { numRuns: 10_000 },
    );
  });
});
