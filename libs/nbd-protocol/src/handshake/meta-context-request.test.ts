import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { META_CONTEXT_QUERIES_MAX } from '../limits.js';
import { contextData } from '../testing/handshake-wire.js';
import { encodeMetaContextRequest, parseMetaContextRequest } from './meta-context-request.js';

const { ERR_INVALID, ERR_TOO_BIG } = OptionReplyType;
const hex = (...parts: readonly string[]) => Buffer.from(parts.join(''), 'hex');

test('N9 the data is laid out as the specification says', () => {
  const written = '00000004' + '6469736b' + '00000002' + '00000005' + '626173653a' + '00000003' + '783a79';
  const request = { exportName: 'disk', queries: ['base:', 'x:y'] };
  expect(Buffer.from(encodeMetaContextRequest(request)).toString('hex')).toBe(written);
  expect(parseMetaContextRequest(hex(written))).toEqual(request);
});

test('N9 there may be no queries, and no name', () => {
  expect(parseMetaContextRequest(contextData(''))).toEqual({ exportName: '', queries: [] });
});

describe('N9 data that lies about its lengths is ERR_INVALID', () => {
  test.each([
    ['nothing', hex()],
    ['half a length', hex('0000')],
    ['a name of 4 GiB', hex('ffffffff', '6469736b', '00000000')],
    ['a name that leaves no count', hex('00000004', '6469736b')],
    ['more queries than there are', hex('00000000', '00000002', '00000002', '783a')],
    ['a query of 4 GiB', hex('00000000', '00000001', 'ffffffff', '783a')],
    ['a query one byte too long', hex('00000000', '00000001', '00000003', '783a')],
    ['something after the last query', hex('00000000', '00000001', '00000002', '783a', '00')],
  ])('%s', (_case, data) => {
    expect(parseMetaContextRequest(data)).toMatchObject({ error: ERR_INVALID });
  });
});

describe('N9 strings that are none are ERR_INVALID', () => {
  test.each([
    ['a name that is not UTF-8', contextData(Buffer.from([0xff]), 'x:')],
    ['a name with NUL', contextData('di\0sk', 'x:')],
    ['a query that is not UTF-8', contextData('disk', Buffer.from([0x78, 0x3a, 0xff]))],
    ['a query with NUL', contextData('disk', 'x:\0')],
    ['a query without a colon', contextData('disk', 'allocation')],
    ['a query without a namespace', contextData('disk', ':allocation')],
    ['an empty query', contextData('disk', '')],
  ])('%s', (_case, data) => {
    expect(parseMetaContextRequest(data)).toMatchObject({ error: ERR_INVALID });
  });
});

test('N10 the number of queries is bounded, and told before they are read', () => {
  const queries = (count: number) => Array.from({ length: count }, () => 'x:');
  expect(parseMetaContextRequest(contextData('disk', ...queries(META_CONTEXT_QUERIES_MAX)))).toMatchObject({
    queries: queries(META_CONTEXT_QUERIES_MAX),
  });
  const more = contextData('disk', ...queries(META_CONTEXT_QUERIES_MAX + 1));
  expect(parseMetaContextRequest(more)).toMatchObject({ error: ERR_TOO_BIG });
  expect(parseMetaContextRequest(hex('00000000', 'ffffffff'))).toMatchObject({ error: ERR_TOO_BIG });
});

test('N10 strings of 4096 bytes are read, longer ones are ERR_TOO_BIG', () => {
  const query = (length: number) => `x:${'y'.repeat(length - 2)}`;
  expect(parseMetaContextRequest(contextData('n'.repeat(4096), query(4096)))).toMatchObject({
    queries: [query(4096)],
  });
  expect(parseMetaContextRequest(contextData('n'.repeat(4097)))).toMatchObject({ error: ERR_TOO_BIG });
  expect(parseMetaContextRequest(contextData('n', query(4097)))).toMatchObject({ error: ERR_TOO_BIG });
});
