import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { converse, negotiate, negotiateIn, OWNER } from '../testing/conversation.js';
import {
  clientFlags,
  contextData,
  infoData,
  option,
  repliesOf,
  replyTypesOf,
} from '../testing/handshake-wire.js';

const { ACK, INFO, SERVER, ERR_POLICY, ERR_SHUTDOWN, ERR_TLS_REQD, ERR_UNKNOWN, ERR_UNSUP } = OptionReplyType;
const STARTTLS = option(Option.STARTTLS);
const LIST = option(Option.LIST);
const STRUCTURED_REPLY = option(Option.STRUCTURED_REPLY);

/** Every option but STARTTLS, ABORT and EXPORT_NAME, well-formed and not. */
const others = [
  ['LIST', LIST],
  ['LIST with data', option(Option.LIST, 'data')],
  ['INFO', option(Option.INFO, infoData('disk', 1, 3))],
  ['INFO cut short', option(Option.INFO, 'x')],
  ['GO', option(Option.GO, infoData('disk'))],
  ['GO for an unknown export', option(Option.GO, infoData('missing'))],
  ['STRUCTURED_REPLY', STRUCTURED_REPLY],
  ['LIST_META_CONTEXT', option(Option.LIST_META_CONTEXT, contextData('disk'))],
  ['SET_META_CONTEXT', option(Option.SET_META_CONTEXT, contextData('disk', 'base:allocation'))],
  ['EXTENDED_HEADERS', option(Option.EXTENDED_HEADERS)],
  ['an unknown option', option(99, 'data')],
  ['an option of any length', option(Option.GO, new Uint8Array(50_000))],
] as const;

describe('NOTLS', () => {
  test('N8 STARTTLS is ERR_POLICY, with data or not, and the client may go on', () => {
    const { sent, questions } = negotiate(STARTTLS, option(Option.STARTTLS, 'data'), LIST);
    expect(replyTypesOf(sent)).toEqual([ERR_POLICY, ERR_POLICY, SERVER, SERVER, ACK]);
    expect(questions).toEqual(['list']);
  });

  test('N8 nothing is ever TLS_REQD, not even an export that needs it', () => {
    const all = others.map(([, bytes]) => bytes).filter((bytes) => bytes[11] !== Option.GO);
    const forSecret = [Option.INFO, Option.GO].map((code) => option(code, infoData('secret')));
    const context = option(Option.SET_META_CONTEXT, contextData('secret'));
    const { sent } = negotiate(...all, STRUCTURED_REPLY, context, ...forSecret);
    expect(replyTypesOf(sent)).not.toContain(ERR_TLS_REQD);
    expect(replyTypesOf(sent).slice(-3)).toEqual([ERR_POLICY, ERR_POLICY, ERR_POLICY]);
  });
});

describe('FORCEDTLS', () => {
  const tlsMode = 'required';

  test.each(others)('N8 %s is TLS_REQD, and STARTTLS is understood behind it', (_name, bytes) => {
    const { sent, questions, end } = negotiateIn({ tlsMode, throughTls: [LIST] }, bytes, STARTTLS);
    expect(replyTypesOf(sent)).toEqual([ERR_TLS_REQD, ACK, SERVER, SERVER, ACK]);
    expect(repliesOf(sent)[0]?.option).toBe(bytes[11]);
    expect({ questions, end }).toEqual({ questions: ['list'], end: 'still open' });
  });

  test('N8 EXPORT_NAME closes, whatever the client flags are', () => {
    for (const flags of [0, 1, 2, 3]) {
      const name = option(Option.EXPORT_NAME, 'disk');
      const { sent, end, questions } = converse([clientFlags(flags), name], { tlsMode });
      expect({ end, questions, sent: sent.length }).toEqual({
        end: 'export-name-without-tls',
        questions: [],
        sent: 0,
      });
    }
  });

  test('N8 without C_FIXED_NEWSTYLE there is no STARTTLS', () => {
    expect(converse([clientFlags(0), STARTTLS], { tlsMode })).toMatchObject({ end: 'not-fixed-newstyle' });
  });

  test('N8 ABORT is acknowledged', () => {
    const { sent, end } = negotiateIn({ tlsMode }, option(Option.ABORT));
    expect(replyTypesOf(sent)).toEqual([ACK]);
    expect(end).toBe('abort');
  });

  test('N8 inside TLS everything is answered, and never by TLS_REQD', () => {
    const inside = [
      STRUCTURED_REPLY,
      ...others.map(([, bytes]) => bytes).filter((bytes) => bytes[11] !== Option.GO),
    ];
    const wishes = [option(Option.INFO, infoData('missing')), option(Option.GO, infoData('disk'))];
    const { sent, sentInPlain, end } = negotiateIn({ tlsMode, throughTls: [...inside, ...wishes] }, STARTTLS);
    const types = replyTypesOf(sent.subarray(sentInPlain));
    expect(types).not.toContain(ERR_TLS_REQD);
    expect(types.slice(-3)).toEqual([ERR_UNKNOWN, INFO, ACK]);
    expect(end).toBe('transmission');
  });

  test('N8 inside TLS EXPORT_NAME is served', () => {
    const throughTls = [option(Option.EXPORT_NAME, 'disk')];
    expect(negotiateIn({ tlsMode, throughTls }, STARTTLS)).toMatchObject({
      end: 'transmission',
      negotiated: { tls: true },
    });
  });
});

describe('SELECTIVETLS', () => {
  const tlsMode = 'per-export';

  test('N8 what needs no TLS is served without it', () => {
    const { sent, end, negotiated } = negotiateIn({ tlsMode }, LIST, option(Option.GO, infoData('disk')));
    expect(replyTypesOf(sent)).toEqual([SERVER, SERVER, ACK, INFO, ACK]);
    expect(end).toBe('transmission');
    expect(negotiated?.tls).toBe(false);
  });

  test.each([
    ['INFO', Option.INFO],
    ['GO', Option.GO],
  ])(
    'N8 %s is TLS_REQD of an export that needs TLS, and of one that is not there, in the same words',
    (_name, code) => {
      const { sent, end } = negotiateIn(
        { tlsMode },
        option(code, infoData('secret')),
        option(code, infoData('missing')),
      );
      const [secret, missing, ...more] = repliesOf(sent);
      expect(secret?.type).toBe(ERR_TLS_REQD);
      expect(missing).toEqual(secret);
      expect(more).toEqual([]);
      expect(end).toBe('still open');
    },
  );

  test('N8 other options than INFO and GO are never TLS_REQD, and tell no more', () => {
    for (const code of [Option.LIST_META_CONTEXT, Option.SET_META_CONTEXT]) {
      const asked = ['secret', 'missing'].map((name) => option(code, contextData(name, 'base:allocation')));
      const [, secret, missing] = repliesOf(negotiateIn({ tlsMode }, STRUCTURED_REPLY, ...asked).sent);
      expect(secret?.type).toBe(ERR_UNKNOWN);
      expect(missing).toEqual(secret);
    }
    const { sent } = negotiateIn({ tlsMode, owner: { ...OWNER, listings: 'policy' } }, LIST, option(99));
    expect(replyTypesOf(sent)).toEqual([ERR_POLICY, ERR_UNSUP]);
  });

  test('N8 other refusals than these stay what they are', () => {
    for (const [reason, type] of [
      ['policy', ERR_POLICY],
      ['shutdown', ERR_SHUTDOWN],
      ['unavailable', ERR_UNKNOWN],
    ] as const) {
      const owner = { ...OWNER, describe: () => reason };
      const { sent } = negotiateIn({ tlsMode, owner }, option(Option.GO, infoData('disk')));
      expect(replyTypesOf(sent)).toEqual([type]);
    }
  });

  test('N8 EXPORT_NAME closes for an export that needs TLS', () => {
    const { sent, end } = negotiateIn({ tlsMode }, option(Option.EXPORT_NAME, 'secret'));
    expect({ end, sent: sent.length }).toEqual({ end: 'export-name-refused', sent: 0 });
  });

  test('N8 inside TLS an export that is not there is ERR_UNKNOWN', () => {
    const throughTls = [option(Option.GO, infoData('missing'))];
    const { sent } = negotiateIn({ tlsMode, throughTls }, STARTTLS);
    expect(repliesOf(sent).at(-1)).toEqual({ option: 7, type: ERR_UNKNOWN, data: 'refused: unknown' });
  });
});
