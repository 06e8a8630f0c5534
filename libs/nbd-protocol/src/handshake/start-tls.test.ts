import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { converse, negotiateIn } from '../testing/conversation.js';
import {
  clientFlags,
  contextData,
  infoData,
  option,
  repliesOf,
  replyTypesOf,
} from '../testing/handshake-wire.js';
import { ServerHandshake } from './server-handshake.js';

const { ACK, INFO, META_CONTEXT, SERVER, ERR_INVALID } = OptionReplyType;
const STARTTLS = option(Option.STARTTLS);
const STRUCTURED_REPLY = option(Option.STRUCTURED_REPLY);
const SET = option(Option.SET_META_CONTEXT, contextData('disk', 'base:allocation'));
const GO = option(Option.GO, infoData('disk'));
const LIST = option(Option.LIST);

/** A machine that was asked for TLS, and has acknowledged it. */
function securing(...plaintext: readonly Uint8Array[]): ServerHandshake {
  const machine = new ServerHandshake({ tlsMode: 'required' });
  machine.push(Buffer.concat([clientFlags(), STARTTLS, ...plaintext]));
  const request = machine.next();
  expect(request.kind).toBe('start-tls');
  return machine;
}

describe.each(['required', 'per-export'] as const)('STARTTLS where TLS is %s', (tlsMode) => {
  test('N7 is acknowledged, and the options go on inside TLS', () => {
    const { sent, sentInPlain, questions, end } = negotiateIn({ tlsMode, throughTls: [LIST, GO] }, STARTTLS);
    expect(repliesOf(sent.subarray(0, sentInPlain))).toEqual([{ option: 5, type: ACK, data: '' }]);
    expect(replyTypesOf(sent.subarray(sentInPlain))).toEqual([SERVER, SERVER, ACK, INFO, ACK]);
    expect(questions).toEqual(['list', 'go disk']);
    expect(end).toBe('transmission');
  });

  test('N7 a second one is ERR_INVALID', () => {
    const { sent, sentInPlain, end } = negotiateIn({ tlsMode, throughTls: [STARTTLS, LIST] }, STARTTLS);
    expect(replyTypesOf(sent.subarray(sentInPlain))).toEqual([ERR_INVALID, SERVER, SERVER, ACK]);
    expect(end).toBe('still open');
  });

  test('N7 one with data is ERR_INVALID, and TLS can still be had', () => {
    const withData = option(Option.STARTTLS, 'data');
    const { sent, questions } = negotiateIn({ tlsMode, throughTls: [LIST] }, withData, STARTTLS);
    expect(replyTypesOf(sent).slice(0, 2)).toEqual([ERR_INVALID, ACK]);
    expect(questions).toEqual(['list']);
  });

  test('N7 a TLS handshake that fails ends the connection', () => {
    const { sent, end, questions } = negotiateIn({ tlsMode }, STARTTLS);
    expect(replyTypesOf(sent)).toEqual([ACK]);
    expect({ end, questions }).toEqual({ end: 'tls-failed', questions: [] });
  });

  test('N7 plaintext behind it is not read as if it had come through TLS', () => {
    const { sent, questions } = negotiateIn({ tlsMode, throughTls: [] }, STARTTLS, LIST, GO);
    expect(replyTypesOf(sent)).toEqual([ACK]);
    expect(questions).toEqual([]);
  });

  test('N7 nor is plaintext that comes before TLS does', () => {
    const { sent, questions } = converse([clientFlags(), STARTTLS, LIST, GO], { tlsMode, throughTls: [] });
    expect(replyTypesOf(sent)).toEqual([ACK]);
    expect(questions).toEqual([]);
  });
});

test('N7 STARTTLS wipes every plaintext byte buffered', () => {
  const machine = securing(LIST);
  expect(machine.bufferedBytes).toBe(0);
  machine.push(LIST);
  machine.secured();
  expect(machine.bufferedBytes).toBe(0);
  expect(machine.next()).toEqual({ kind: 'need-input' });
});

describe('N7 STARTTLS wipes what was negotiated before it', () => {
  test.each([
    ['structured replies', Option.STRUCTURED_REPLY],
    ['extended headers', Option.EXTENDED_HEADERS],
  ])('%s', (_name, code) => {
    const before = negotiateIn({ tlsMode: 'per-export' }, option(code), GO);
    expect(before.negotiated?.replyMode).not.toBe('simple');
    const { negotiated } = negotiateIn({ tlsMode: 'per-export', throughTls: [GO] }, option(code), STARTTLS);
    expect(negotiated).toEqual({ replyMode: 'simple', contexts: [], tls: true });
  });

  test('the contexts, also when structured replies are negotiated again', () => {
    const before = negotiateIn({ tlsMode: 'per-export' }, STRUCTURED_REPLY, SET, GO);
    expect(before.negotiated?.contexts).toHaveLength(1);
    const setting = { tlsMode: 'per-export', throughTls: [STRUCTURED_REPLY, GO] } as const;
    const { negotiated } = negotiateIn(setting, STRUCTURED_REPLY, SET, STARTTLS);
    expect(negotiated).toEqual({ replyMode: 'structured', contexts: [], tls: true });
  });

  test('so that contexts are refused until structured replies are negotiated again', () => {
    const setting = { tlsMode: 'per-export', throughTls: [SET, STRUCTURED_REPLY, SET] } as const;
    const { sent, sentInPlain } = negotiateIn(setting, STRUCTURED_REPLY, STARTTLS);
    expect(replyTypesOf(sent.subarray(sentInPlain))).toEqual([ERR_INVALID, ACK, META_CONTEXT, ACK]);
  });
});

describe('an owner that secures the stream', () => {
  test('has nothing to ask before it is done', () => {
    expect(() => securing().next()).toThrow('securing');
  });

  test('says so when it was asked, and not again', () => {
    const machine = new ServerHandshake({ tlsMode: 'required' });
    expect(() => {
      machine.secured();
    }).toThrow('asked');
    expect(() => {
      machine.notSecured();
    }).toThrow('asked');
    const asked = securing();
    asked.notSecured();
    expect(() => {
      asked.secured();
    }).toThrow('asked');
    expect(asked.next()).toEqual({ kind: 'close', reason: 'tls-failed' });
  });

  test('N10 options before and after TLS are counted together', () => {
    const limits = { optionsMax: 3, optionBytesMax: 99, totalBytesMax: 999 };
    const setting = { tlsMode: 'required', throughTls: [LIST, LIST, LIST], limits } as const;
    expect(negotiateIn(setting, STARTTLS)).toMatchObject({
      end: 'options-limit',
      questions: ['list', 'list'],
    });
  });
});
