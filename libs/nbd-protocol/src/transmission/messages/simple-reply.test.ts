import { expect, test } from 'vitest';
import {
  encodeSimpleReply,
  parseSimpleReply,
  SIMPLE_REPLY_BYTES,
  SimpleReplyHeader,
} from './simple-reply.js';

test('T16 a simple reply is 16 bytes and returns the cookie bit for bit', () => {
  const bytes = Buffer.alloc(SIMPLE_REPLY_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  encodeSimpleReply(view, 0, 28, 0x8091a2b3 | 0, 0xc4d5e6f7 | 0);
  expect(bytes.toString('hex')).toBe('67446698' + '0000001c' + '8091a2b3c4d5e6f7');

  const header = new SimpleReplyHeader();
  expect(parseSimpleReply(view, 0, header)).toBe(true);
  expect(header).toEqual({ error: 28, cookieHigh: 0x8091a2b3 | 0, cookieLow: 0xc4d5e6f7 | 0 });
});

test('another magic is no simple reply', () => {
  const view = new DataView(new ArrayBuffer(SIMPLE_REPLY_BYTES));
  expect(parseSimpleReply(view, 0, new SimpleReplyHeader())).toBe(false);
});
