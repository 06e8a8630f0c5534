import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import { DISK, negotiate, negotiateIn, OWNER } from '../testing/conversation.js';
import { contextData, infoData, option, repliesOf, replyTypesOf } from '../testing/handshake-wire.js';

const { ACK, INFO, SERVER, ERR_EXT_HEADER_REQD, ERR_INVALID } = OptionReplyType;
const { SEND_DF, BLOCK_STATUS_PAYLOAD } = TransmissionFlag;
const STRUCTURED_REPLY = option(Option.STRUCTURED_REPLY);
const EXTENDED_HEADERS = option(Option.EXTENDED_HEADERS);
const SET = option(Option.SET_META_CONTEXT, contextData('disk', 'base:allocation'));
const GO = option(Option.GO, infoData('disk'));

/** The transmission flags that the last INFO or GO announced. */
function flagsOf(sent: Buffer): number {
  const info = repliesOf(sent).findLast(({ type }) => type === INFO);
  return Buffer.from(info?.data ?? '', 'hex').readUInt16BE(10);
}

describe.each([
  ['STRUCTURED_REPLY', STRUCTURED_REPLY, 'structured'],
  ['EXTENDED_HEADERS', EXTENDED_HEADERS, 'extended'],
] as const)('%s', (_name, bytes, replyMode) => {
  test('N11 is acknowledged, and GO tells the owner', () => {
    const { sent, negotiated } = negotiate(bytes, GO);
    expect(repliesOf(sent)[0]).toEqual({ option: bytes[11], type: ACK, data: '' });
    expect(negotiated).toEqual({ replyMode, contexts: [], tls: false });
  });

  test('N11 said again changes nothing', () => {
    const { sent, negotiated } = negotiate(bytes, bytes, GO);
    expect(replyTypesOf(sent)).toEqual([ACK, ACK, INFO, ACK]);
    expect(negotiated?.replyMode).toBe(replyMode);
  });

  test('N11 with data it is ERR_INVALID, changes nothing, and the stream stays in sync', () => {
    const { sent, negotiated } = negotiate(option(bytes[11] ?? 0, 'data'), option(Option.LIST), GO);
    expect(replyTypesOf(sent)).toEqual([ERR_INVALID, SERVER, SERVER, ACK, INFO, ACK]);
    expect(negotiated?.replyMode).toBe('simple');
  });
});

test('without either the replies are simple', () => {
  expect(negotiate(GO).negotiated).toEqual({ replyMode: 'simple', contexts: [], tls: false });
});

test('N11 EXTENDED_HEADERS takes precedence: a later STRUCTURED_REPLY is ERR_EXT_HEADER_REQD', () => {
  const { sent, negotiated } = negotiate(STRUCTURED_REPLY, EXTENDED_HEADERS, STRUCTURED_REPLY, GO);
  expect(replyTypesOf(sent)).toEqual([ACK, ACK, ERR_EXT_HEADER_REQD, INFO, ACK]);
  expect(negotiated?.replyMode).toBe('extended');
});

test('N11 after EXTENDED_HEADERS the client must use GO: EXPORT_NAME closes', () => {
  const name = option(Option.EXPORT_NAME, 'disk');
  const { sent, end, questions } = negotiate(EXTENDED_HEADERS, name);
  expect(replyTypesOf(sent)).toEqual([ACK]);
  expect({ end, questions }).toEqual({ end: 'export-name-after-extended-headers', questions: [] });
  expect(negotiate(STRUCTURED_REPLY, name)).toMatchObject({
    end: 'transmission',
    negotiated: { replyMode: 'structured' },
  });
});

describe('what needs more than was negotiated', () => {
  const announcing = (transmissionFlags: number, ...options: readonly Uint8Array[]) => {
    const describe = () => ({ ...DISK, transmissionFlags });
    return negotiateIn({ owner: { ...OWNER, describe } }, ...options);
  };
  const other = option(Option.SET_META_CONTEXT, contextData('disk2', 'base:allocation'));

  describe.each([
    ['INFO', Option.INFO],
    ['GO', Option.GO],
  ])('of %s', (_name, code) => {
    const last = option(code, infoData('disk'));

    test.each([
      ['DF without structured replies', SEND_DF, []],
      ['payloads of BLOCK_STATUS without contexts', BLOCK_STATUS_PAYLOAD, [EXTENDED_HEADERS]],
      [
        'payloads of BLOCK_STATUS with the contexts of another export',
        BLOCK_STATUS_PAYLOAD,
        [EXTENDED_HEADERS, other],
      ],
      ['payloads of BLOCK_STATUS without extended headers', BLOCK_STATUS_PAYLOAD, [STRUCTURED_REPLY, SET]],
    ])('N11 is not announced: %s', (_case, flags, options) => {
      expect(() => announcing(flags, ...options, last)).toThrow('negotiated');
    });

    test.each([
      ['DF with structured replies', SEND_DF, [STRUCTURED_REPLY]],
      ['DF with extended headers', SEND_DF, [EXTENDED_HEADERS]],
      ['both with extended headers and contexts', SEND_DF | BLOCK_STATUS_PAYLOAD, [EXTENDED_HEADERS, SET]],
    ])('N11 is announced with it: %s', (_case, flags, options) => {
      expect(flagsOf(announcing(flags, ...options, last).sent)).toBe(flags | 1);
    });
  });
});
