import { expect, test } from 'vitest';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import { encodeInfoBlockSize, parseInfoBlockSize } from '../handshake/info-block-size.js';
import { advertisedFlags, DEFAULT_BLOCK_SIZE } from './offer.js';

const { HAS_FLAGS, READ_ONLY, SEND_FLUSH, SEND_FUA, SEND_CACHE, CAN_MULTI_CONN } = TransmissionFlag;
const { SEND_TRIM, SEND_WRITE_ZEROES, SEND_FAST_ZERO } = TransmissionFlag;

test('T18 a writable export offers what writes, a read-only one says that it is', () => {
  const always = HAS_FLAGS | SEND_FLUSH | SEND_FUA | SEND_CACHE | CAN_MULTI_CONN;
  expect(advertisedFlags({ readOnly: false })).toBe(always | SEND_TRIM | SEND_WRITE_ZEROES | SEND_FAST_ZERO);
  expect(advertisedFlags({ readOnly: true })).toBe(always | READ_ONLY);
});

test('CAN_MULTI_CONN is offered unless one connection is all that a client may have', () => {
  const all = advertisedFlags({ readOnly: false });
  expect(advertisedFlags({ readOnly: false, multipleConnections: false })).toBe(all & ~CAN_MULTI_CONN);
});

test('DF is offered with chunks, a payload of BLOCK_STATUS with extended headers and contexts', () => {
  const simple = advertisedFlags({ readOnly: true });
  const { SEND_DF, BLOCK_STATUS_PAYLOAD } = TransmissionFlag;
  expect(advertisedFlags({ readOnly: true, replyMode: 'structured', hasContexts: true })).toBe(
    simple | SEND_DF,
  );
  expect(advertisedFlags({ readOnly: true, replyMode: 'extended' })).toBe(simple | SEND_DF);
  expect(advertisedFlags({ readOnly: true, replyMode: 'extended', hasContexts: true })).toBe(
    simple | SEND_DF | BLOCK_STATUS_PAYLOAD,
  );
});

test('T5 the default sizes may be announced', () => {
  expect(parseInfoBlockSize(encodeInfoBlockSize(DEFAULT_BLOCK_SIZE))).toEqual(DEFAULT_BLOCK_SIZE);
});

test('T18 of an export of another server only what that one can do is offered', () => {
  const { SEND_TRIM, SEND_WRITE_ZEROES, SEND_FAST_ZERO, SEND_DF, ROTATIONAL } = TransmissionFlag;
  const offered = (upstreamFlags: number, readOnly = false) =>
    advertisedFlags({ readOnly, replyMode: 'structured', upstreamFlags });
  expect(offered(HAS_FLAGS)).toBe(HAS_FLAGS | SEND_DF);
  expect(offered(HAS_FLAGS | SEND_FLUSH | SEND_TRIM)).toBe(HAS_FLAGS | SEND_DF | SEND_FLUSH | SEND_TRIM);
  expect(offered(HAS_FLAGS | SEND_FLUSH | SEND_TRIM, true)).toBe(
    HAS_FLAGS | SEND_DF | SEND_FLUSH | READ_ONLY,
  );
  expect(offered(HAS_FLAGS | SEND_FAST_ZERO)).toBe(HAS_FLAGS | SEND_DF);
  const all =
    SEND_FLUSH | SEND_FUA | SEND_CACHE | CAN_MULTI_CONN | SEND_TRIM | SEND_WRITE_ZEROES | SEND_FAST_ZERO;
  expect(offered(all | ROTATIONAL)).toBe(advertisedFlags({ readOnly: false, replyMode: 'structured' }));
});
