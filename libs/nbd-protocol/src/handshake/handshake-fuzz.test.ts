import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { OPTION_BYTES_MAX } from '../limits.js';
import { converse } from '../testing/conversation.js';
import { MODES, outcome, outcomeOf, SESSIONS } from '../testing/handshake-sessions.js';
import { clientFlags, contextData, infoData, option, replyTypesOf } from '../testing/handshake-wire.js';
import { inChunks } from '../testing/wire.js';
import { OPTION_HEADER_BYTES } from './option-header.js';

const { ACK, ERR_INVALID, ERR_TLS_REQD } = OptionReplyType;

const recorded = Object.values(SESSIONS).map(({ plain, throughTls }) =>
  Buffer.concat([...plain, ...throughTls]),
);

const mutation = fc.record({
  at: fc.nat({ max: 1200 }),
  removed: fc.nat({ max: 3 }),
  added: fc.uint8Array({ maxLength: 3 }),
});
const mutated = fc
  .tuple(fc.constantFrom(...recorded), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([session, mutations]) =>
    mutations.reduce(
      (bytes, { at, removed, added }) =>
        Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]),
      session,
    ),
  );

const name = fc.constantFrom('disk', 'secret', 'hidden', 'missing', '');
const query = fc.constantFrom('base:', 'base:allocation', 'x-holdfast:', 'x-holdfast:wide', 'no colon', '');
const anyOption = fc.oneof(
  fc
    .tuple(fc.oneof(fc.nat({ max: 12 }), fc.nat()), fc.uint8Array({ maxLength: 40, size: 'max' }))
    .map(([code, data]) => option(code, data)),
  fc
    .constantFrom(Option.LIST, Option.STRUCTURED_REPLY, Option.EXTENDED_HEADERS, Option.STARTTLS)
    .map((code) => option(code)),
  fc
    .tuple(fc.constantFrom(Option.INFO, Option.GO), name, fc.array(fc.nat({ max: 4 }), { maxLength: 4 }))
    .map(([code, exportName, types]) => option(code, infoData(exportName, ...types))),
  fc
    .tuple(
      fc.constantFrom(Option.LIST_META_CONTEXT, Option.SET_META_CONTEXT),
      name,
      fc.array(query, { maxLength: 4 }),
    )
    .map(([code, exportName, queries]) => option(code, contextData(exportName, ...queries))),
);
const options = fc
  .array(anyOption, { maxLength: 36, size: 'max' })
  .map((messages) => Buffer.concat([clientFlags(), ...messages]));

const random = fc.uint8Array({ maxLength: 120, size: 'max' });
const chunkSizes = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 5 });
const tlsModes = fc.constantFrom(...MODES);

/** Ten thousand sessions take a few seconds, on a machine that has nothing else to do. */
const TIMEOUT_MS = 120_000;

describe('whatever comes', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['random bytes', random],
    ['random options', options],
    ['a recorded session, mutated', mutated],
  ])('N10 %s never throw, never hang, are never kept beyond one option', (_name, streams) => {
    fc.assert(
      fc.property(tlsModes, streams, streams, chunkSizes, (tlsMode, plain, secured, sizes) => {
        const chunks = inChunks(plain, sizes);
        // What comes through TLS has no client flags in front.
        const throughTls = inChunks(secured.subarray(4), sizes);
        const conversation = converse(chunks, { tlsMode, throughTls });
        const { steps, bufferedBytesMax } = conversation;
        const bytes = plain.length + secured.length;
        expect(steps).toBeLessThanOrEqual(
          chunks.length + throughTls.length + bytes / OPTION_HEADER_BYTES + 3,
        );
        expect(bufferedBytesMax).toBeLessThan(Math.max(OPTION_BYTES_MAX, OPTION_HEADER_BYTES));
        expect(outcomeOf(conversation)).toBe(outcome(tlsMode, [plain], [secured.subarray(4)]));
      }),
      { numRuns: 10_000 },
    );
  });

  test('N8 a server that requires TLS asks its owner nothing, and says nothing else, before TLS', () => {
    fc.assert(
      fc.property(options, (stream) => {
        const { questions, sent, negotiated } = converse([stream], { tlsMode: 'required' });
        expect(questions).toEqual([]);
        expect(negotiated).toBeUndefined();
        for (const type of replyTypesOf(sent)) expect([ACK, ERR_INVALID, ERR_TLS_REQD]).toContain(type);
      }),
      { numRuns: 10_000 },
    );
  });

  test('N8 TLS_REQD is for clients without TLS, where there is TLS', () => {
    fc.assert(
      fc.property(fc.constantFrom('off', 'per-export'), options, options, (tlsMode, plain, secured) => {
        const throughTls = [secured.subarray(4)];
        const { sent, sentInPlain } = converse([plain], { tlsMode, throughTls });
        const must = tlsMode === 'off' ? sent : sent.subarray(sentInPlain);
        expect(replyTypesOf(must)).not.toContain(ERR_TLS_REQD);
      }),
      { numRuns: 10_000 },
    );
  });
});
