import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { META_CONTEXT_QUERIES_MAX, META_CONTEXTS_MAX, OPTION_BYTES_MAX } from '../limits.js';
import { negotiate, negotiateIn, OWNER } from '../testing/conversation.js';
import { contextData, infoData, option, repliesOf, replyTypesOf } from '../testing/handshake-wire.js';
import { ServerHandshake } from './server-handshake.js';

const { ACK, META_CONTEXT, SERVER, ERR_INVALID, ERR_POLICY, ERR_TOO_BIG, ERR_UNKNOWN } = OptionReplyType;
const STRUCTURED_REPLY = option(Option.STRUCTURED_REPLY);
const EXTENDED_HEADERS = option(Option.EXTENDED_HEADERS);
const GO = option(Option.GO, infoData('disk'));
const select = (...queries: readonly string[]) =>
  option(Option.SET_META_CONTEXT, contextData('disk', ...queries));
const list = (...queries: readonly string[]) =>
  option(Option.LIST_META_CONTEXT, contextData('disk', ...queries));

/** The contexts that the last option was answered with, as `id name`, then the type that ended the answer. */
function contextsOf(sent: Buffer, code: number): string[] {
  return repliesOf(sent)
    .filter((reply) => reply.option === code)
    .map(({ type, data }) => {
      if (type !== META_CONTEXT) return type === ACK ? 'ACK' : `error ${String(type - 2 ** 31)}`;
      const bytes = Buffer.from(data, 'hex');
      return `${String(bytes.readUInt32BE())} ${bytes.subarray(4).toString()}`;
    });
}

describe('SET_META_CONTEXT', () => {
  const selecting = (...queries: readonly string[]) => negotiate(STRUCTURED_REPLY, select(...queries), GO);

  test('N9 what is named in full is selected, and GO tells with which ids', () => {
    const { sent, negotiated } = selecting('base:allocation', 'x-holdfast:bitmap:b');
    expect(contextsOf(sent, 10)).toEqual(['1 base:allocation', '2 x-holdfast:bitmap:b', 'ACK']);
    expect(negotiated).toEqual({
      replyMode: 'structured',
      contexts: [
        { id: 1, name: 'base:allocation' },
        { id: 2, name: 'x-holdfast:bitmap:b' },
      ],
      tls: false,
    });
  });

  test('N9 who asks twice gets it once: ids and names are unique', () => {
    const { sent } = selecting('base:allocation', 'x-holdfast:bitmap:a', 'base:allocation');
    expect(contextsOf(sent, 10)).toEqual(['1 base:allocation', '2 x-holdfast:bitmap:a', 'ACK']);
  });

  test.each([
    ['zero queries', []],
    ['bare base:', ['base:']],
    ['a wildcard', ['x-holdfast:', 'x-holdfast:bitmap:']],
    ['an unknown namespace', ['qemu:allocation-depth', 'x-other:']],
    ['an unknown leaf of base:', ['base:colour']],
    ['the beginning of a name', ['base:alloc']],
  ])('N9 %s selects nothing, and is no error', (_name, queries) => {
    const { sent, negotiated } = selecting(...queries);
    expect(contextsOf(sent, 10)).toEqual(['ACK']);
    expect(negotiated?.contexts).toEqual([]);
  });

  test('N9 the last one replaces what was selected before', () => {
    const { negotiated } = negotiate(
      STRUCTURED_REPLY,
      select('base:allocation'),
      select('x-holdfast:bitmap:a'),
      GO,
    );
    expect(negotiated?.contexts).toEqual([{ id: 1, name: 'x-holdfast:bitmap:a' }]);
  });

  test.each([
    ['without queries', select()],
    ['that is malformed', option(Option.SET_META_CONTEXT, 'x')],
    ['with a query that is none', select('allocation')],
    ['with too many queries', select(...Array.from({ length: META_CONTEXT_QUERIES_MAX + 1 }, () => 'x:'))],
    ['that is too long', option(Option.SET_META_CONTEXT, new Uint8Array(OPTION_BYTES_MAX + 1))],
    ['for an unknown export', option(Option.SET_META_CONTEXT, contextData('missing', 'base:allocation'))],
    ['for a refused export', option(Option.SET_META_CONTEXT, contextData('hidden', 'base:allocation'))],
  ])('N9 one %s leaves nothing selected', (_name, failing) => {
    const { negotiated, end } = negotiate(STRUCTURED_REPLY, select('base:allocation'), failing, GO);
    expect(end).toBe('transmission');
    expect(negotiated?.contexts).toEqual([]);
  });

  test('N9 the selection holds only if GO names the same export', () => {
    const describe = () => OWNER.describe('disk');
    const owner = { ...OWNER, describe };
    const other = option(Option.GO, infoData('other'));
    const byName = option(Option.EXPORT_NAME, 'disk');
    const selectedFor = (last: Buffer) =>
      negotiateIn({ owner }, STRUCTURED_REPLY, select('base:allocation'), last).negotiated?.contexts.length;
    expect(selectedFor(GO)).toBe(1);
    expect(selectedFor(byName)).toBe(1);
    expect(selectedFor(other)).toBe(0);
  });

  test('N9 other options in between leave the selection as it is', () => {
    const between = [list(), option(Option.INFO, infoData('disk')), option(99), EXTENDED_HEADERS];
    const { negotiated } = negotiate(STRUCTURED_REPLY, select('base:allocation'), ...between, GO);
    expect(negotiated?.contexts).toHaveLength(1);
  });
});

test('N10 the contexts of one selection are bounded, and nothing is selected beyond', () => {
  const offering = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `x-a:${String(index)}`, flagBits: 32 as const }));
  const selectAll = (count: number) => {
    const contexts = offering(count);
    const all = select(...contexts.map(({ name }) => name));
    return negotiateIn({ owner: { ...OWNER, contexts } }, STRUCTURED_REPLY, select('x-a:0'), all, GO);
  };
  expect(selectAll(META_CONTEXTS_MAX).negotiated?.contexts).toHaveLength(META_CONTEXTS_MAX);
  const beyond = selectAll(META_CONTEXTS_MAX + 1);
  expect(contextsOf(beyond.sent, 10).at(-1)).toBe('error 9');
  expect(beyond.negotiated?.contexts).toEqual([]);
});

describe('LIST_META_CONTEXT', () => {
  const all = ['0 base:allocation', '0 x-holdfast:bitmap:a', '0 x-holdfast:bitmap:b', 'ACK'];

  test.each([
    ['zero queries return all', [], all],
    ['base: returns all of base', ['base:'], ['0 base:allocation', 'ACK']],
    ['a full name returns itself', ['base:allocation'], ['0 base:allocation', 'ACK']],
    ['a wildcard returns what is below it', ['x-holdfast:bitmap:'], all.slice(1)],
    ['queries that overlap return each context once', ['base:', 'base:allocation', 'x-holdfast:'], all],
    ['unknown namespaces and leaves are ignored', ['qemu:', 'base:colour', 'x-hold:'], ['ACK']],
    ['the beginning of a leaf is no wildcard', ['base:alloc', 'x-holdfast:bit'], ['ACK']],
  ])('N9 %s', (_name, queries, expected) => {
    expect(contextsOf(negotiate(STRUCTURED_REPLY, list(...queries)).sent, 9)).toEqual(expected);
  });

  test('N9 it selects nothing', () => {
    expect(negotiate(STRUCTURED_REPLY, list('base:allocation'), GO).negotiated?.contexts).toEqual([]);
  });
});

describe.each([
  ['LIST_META_CONTEXT', Option.LIST_META_CONTEXT],
  ['SET_META_CONTEXT', Option.SET_META_CONTEXT],
])('%s', (_name, code) => {
  const asking = (name: string, ...queries: readonly string[]) => option(code, contextData(name, ...queries));

  test('N9 needs structured replies or extended headers, else it is ERR_INVALID', () => {
    const asked = asking('disk', 'base:allocation');
    const { sent, questions } = negotiate(asked, option(Option.LIST));
    expect(replyTypesOf(sent)).toEqual([ERR_INVALID, SERVER, SERVER, ACK]);
    expect(questions).toEqual(['list']);
    for (const first of [STRUCTURED_REPLY, EXTENDED_HEADERS]) {
      expect(replyTypesOf(negotiate(first, asked).sent)).toEqual([ACK, META_CONTEXT, ACK]);
    }
  });

  test('N9 the owner is asked for the contexts of the export afresh', () => {
    expect(negotiate(STRUCTURED_REPLY, asking('disk'), asking('disk')).questions).toEqual([
      'meta-contexts disk',
      'meta-contexts disk',
    ]);
  });

  test('N12 an export that is unknown or refused is an error, and the client may go on', () => {
    const { sent, end } = negotiate(STRUCTURED_REPLY, asking('missing'), asking('hidden'));
    expect(replyTypesOf(sent)).toEqual([ACK, ERR_UNKNOWN, ERR_POLICY]);
    expect(end).toBe('still open');
    const refusing = { owner: { ...OWNER, contexts: 'policy' as const } };
    expect(replyTypesOf(negotiateIn(refusing, STRUCTURED_REPLY, asking('disk')).sent)).toEqual([
      ACK,
      ERR_POLICY,
    ]);
  });

  test('N10 what is longer or asks more than is allowed is ERR_TOO_BIG, and the stream stays in sync', () => {
    const long = option(code, new Uint8Array(OPTION_BYTES_MAX + 1));
    const many = asking('disk', ...Array.from({ length: META_CONTEXT_QUERIES_MAX + 1 }, () => 'x:'));
    const { sent } = negotiate(STRUCTURED_REPLY, long, many, option(Option.LIST));
    expect(replyTypesOf(sent)).toEqual([ACK, ERR_TOO_BIG, ERR_TOO_BIG, SERVER, SERVER, ACK]);
  });

  test('N11 a 64-bit context is left out without extended headers', () => {
    const wide = 'x-holdfast:wide';
    const structured = negotiate(STRUCTURED_REPLY, asking('disk', wide, 'base:allocation'));
    expect(contextsOf(structured.sent, code).join()).not.toContain(wide);
    expect(contextsOf(structured.sent, code).join()).toContain('base:allocation');
    const extended = negotiate(EXTENDED_HEADERS, asking('disk', wide, 'base:allocation'));
    expect(contextsOf(extended.sent, code).join()).toContain(wide);
  });
});

test('an export has a context once', () => {
  const machine = new ServerHandshake();
  machine.push(Buffer.concat([Buffer.from([0, 0, 0, 3]), STRUCTURED_REPLY, select('base:allocation')]));
  machine.next();
  machine.next();
  const twice = [
    { name: 'base:allocation', flagBits: 32 },
    { name: 'base:allocation', flagBits: 32 },
  ] as const;
  expect(() => machine.answerMetaContexts(twice)).toThrow('once');
});
