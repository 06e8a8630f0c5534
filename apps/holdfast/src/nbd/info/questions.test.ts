import { TransmissionFlag, type ReplyMode } from '@holdfast/nbd-protocol';
import { expect, it } from 'vitest';
import { abilitiesOf, type ExportFacts } from './export-facts.js';
import { findQuestion } from './questions.js';

function facts(
  transmissionFlags: number,
  replyMode: ReplyMode = 'structured',
  isSecure = false,
): ExportFacts {
  const info = {
    name: '',
    canonicalName: '',
    description: '',
    sizeBytes: 0n,
    transmissionFlags,
    blockSize: undefined,
  };
  const abilities = abilitiesOf(transmissionFlags, replyMode);
  return { uri: 'nbd://h', info, abilities, contexts: [], replyMode, isSecure };
}

const NONE = facts(TransmissionFlag.HAS_FLAGS);

it.each([
  ['cache', TransmissionFlag.SEND_CACHE],
  ['df', TransmissionFlag.SEND_DF],
  ['flush', TransmissionFlag.SEND_FLUSH],
  ['fua', TransmissionFlag.SEND_FUA],
  ['multi-conn', TransmissionFlag.CAN_MULTI_CONN],
  ['trim', TransmissionFlag.SEND_TRIM],
  ['zero', TransmissionFlag.SEND_WRITE_ZEROES],
  ['read-only', TransmissionFlag.READ_ONLY],
  ['rotational', TransmissionFlag.ROTATIONAL],
])('%s is answered by its flag', (name, flag) => {
  expect(findQuestion(name)?.(facts(flag))).toBe(true);
  expect(findQuestion(name)?.(NONE)).toBe(false);
});

it('a flag without what it depends on is a no', () => {
  const fast = TransmissionFlag.SEND_FAST_ZERO;
  expect(findQuestion('fast-zero')?.(facts(fast))).toBe(false);
  expect(findQuestion('fast-zero')?.(facts(fast | TransmissionFlag.SEND_WRITE_ZEROES))).toBe(true);
  expect(findQuestion('df')?.(facts(TransmissionFlag.SEND_DF, 'simple'))).toBe(false);
  const payload = TransmissionFlag.BLOCK_STATUS_PAYLOAD;
  expect(findQuestion('block-status-payload')?.(facts(payload, 'structured'))).toBe(false);
  expect(findQuestion('block-status-payload')?.(facts(payload, 'extended'))).toBe(true);
});

it('what was negotiated answers, not the flags', () => {
  expect(findQuestion('structured-reply')?.(facts(0, 'simple'))).toBe(false);
  expect(findQuestion('extended-headers')?.(facts(0, 'structured'))).toBe(false);
  expect(findQuestion('extended-headers')?.(facts(0, 'extended'))).toBe(true);
  expect(findQuestion('structured-reply')?.(facts(0, 'extended'))).toBe(true);
  expect(findQuestion('tls')?.(facts(0, 'simple', true))).toBe(true);
});

it('write is the opposite of read-only; whoever asks has connected and may read', () => {
  expect(findQuestion('write')?.(NONE)).toBe(true);
  expect(findQuestion('write')?.(facts(TransmissionFlag.READ_ONLY))).toBe(false);
  expect(findQuestion('connect')?.(NONE)).toBe(true);
  expect(findQuestion('read')?.(NONE)).toBe(true);
});

it.each(['SR', 'structured replies', 'multi_conn', 'MultiConn', 'readonly', 'fastzero', 'extended_headers'])(
  'the spelling "%s" of nbdinfo is understood',
  (text) => {
    expect(findQuestion(text)).toBeDefined();
  },
);

it.each(['', 'constructor', 'fly'])('"%s" is no question', (text) => {
  expect(findQuestion(text)).toBe(undefined);
});
