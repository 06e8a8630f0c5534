import { describe, expect, test } from 'vitest';
import { OptionReplyType } from '../constants/option-replies.js';
import { Option } from '../constants/options.js';
import { DISK } from '../testing/conversation.js';
import { encodeClientFlags, parseClientFlags } from './client-flags.js';
import { encodeExportNameReply, parseExportNameReply } from './export-name-reply.js';
import { encodeGreeting, parseGreeting } from './greeting.js';
import { encodeInfoBlockSize, parseInfoBlockSize } from './info-block-size.js';
import { encodeInfoDescription, parseInfoDescription } from './info-description.js';
import { encodeInfoExport, parseInfoExport } from './info-export.js';
import { encodeInfoName, parseInfoName } from './info-name.js';
import { encodeInfoRequest, parseInfoRequest } from './info-request.js';
import { BASE_ALLOCATION } from './meta-context.js';
import { encodeMetaContextRequest, parseMetaContextRequest } from './meta-context-request.js';
import { encodeOption, parseOptionHeader } from './option-header.js';
import { encodeOptionReply, parseOptionReply } from './option-reply.js';
import { encodeRepMetaContext, parseRepMetaContext } from './rep-meta-context.js';
import { encodeRepServer, parseRepServer } from './rep-server.js';

const LENGTH_MAX = 100;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** Messages that are read from the front of a stream. */
const streamed = [
  {
    name: 'greeting',
    bytes: encodeGreeting({ handshakeFlags: 3 }),
    parse: (stream: Uint8Array) => parseGreeting(stream),
    message: { handshakeFlags: 3 },
    magicBytes: 16,
  },
  {
    name: 'client flags',
    bytes: encodeClientFlags({ clientFlags: 0x8000_0001 }),
    parse: (stream: Uint8Array) => parseClientFlags(stream),
    message: { clientFlags: 0x8000_0001 },
    magicBytes: 0,
  },
  {
    name: 'option header',
    bytes: encodeOption(0xffff_fffe),
    parse: (stream: Uint8Array) => parseOptionHeader(stream),
    message: { option: 0xffff_fffe, lengthBytes: 0 },
    magicBytes: 8,
  },
  {
    name: 'option reply',
    bytes: encodeOptionReply(Option.LIST, OptionReplyType.ERR_POLICY, Buffer.from('no')),
    parse: (stream: Uint8Array) => {
      const reply = parseOptionReply(stream, LENGTH_MAX);
      return typeof reply === 'string' ? reply : { ...reply, data: text(reply.data) };
    },
    message: { option: Option.LIST, type: OptionReplyType.ERR_POLICY, data: 'no' },
    magicBytes: 8,
  },
  {
    name: 'answer to EXPORT_NAME',
    bytes: encodeExportNameReply({ sizeBytes: 2n ** 64n - 1n, transmissionFlags: 4 }, false),
    parse: (stream: Uint8Array) => parseExportNameReply(stream, false),
    message: { sizeBytes: 2n ** 64n - 1n, transmissionFlags: 5 },
    magicBytes: 0,
  },
  {
    name: 'answer to EXPORT_NAME without zeroes',
    bytes: encodeExportNameReply({ sizeBytes: 1n, transmissionFlags: 4 }, true),
    parse: (stream: Uint8Array) => parseExportNameReply(stream, true),
    message: { sizeBytes: 1n, transmissionFlags: 5 },
    magicBytes: 0,
  },
];

describe.each(streamed)('$name', ({ bytes, parse, message, magicBytes }) => {
  test('is incomplete when split at any offset, and whole whatever follows', () => {
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(parse(bytes.subarray(0, cut)), `after ${cut} bytes`).toBe('incomplete');
    }
    expect(parse(bytes)).toEqual(message);
    expect(parse(Buffer.concat([bytes, Buffer.from('the next')]))).toEqual(message);
  });

  test('with any other magic is told apart', () => {
    for (let at = 0; at < magicBytes; at += 1) {
      const wrong = Buffer.from(bytes);
      wrong.writeUInt8((bytes[at] ?? 0) ^ 1, at);
      expect(parse(wrong)).toBe('bad-magic');
    }
  });
});

/** Data whose length the header around it tells. */
const framed = [
  {
    name: 'SERVER',
    bytes: encodeRepServer({ name: 'disk', description: 'ä' }),
    parse: parseRepServer,
    message: { name: 'disk', description: 'ä' },
  },
  {
    name: 'INFO EXPORT',
    bytes: encodeInfoExport({ sizeBytes: 2n ** 63n, transmissionFlags: 0x8000 }),
    parse: parseInfoExport,
    message: { sizeBytes: 2n ** 63n, transmissionFlags: 0x8001 },
  },
  { name: 'INFO NAME', bytes: encodeInfoName({ name: 'ä' }), parse: parseInfoName, message: { name: 'ä' } },
  {
    name: 'INFO DESCRIPTION',
    bytes: encodeInfoDescription({ description: 'ä' }),
    parse: parseInfoDescription,
    message: { description: 'ä' },
  },
  {
    name: 'INFO BLOCK_SIZE',
    bytes: encodeInfoBlockSize(DISK.blockSize),
    parse: parseInfoBlockSize,
    message: DISK.blockSize,
  },
  {
    name: 'INFO and GO',
    bytes: encodeInfoRequest({ exportName: 'disk', infoTypes: new Set([3, 1]) }),
    parse: parseInfoRequest,
    message: { exportName: 'disk', infoTypes: new Set([3, 1]) },
  },
  {
    name: 'META_CONTEXT',
    bytes: encodeRepMetaContext({ id: 0xffff_fffe, name: BASE_ALLOCATION }),
    parse: parseRepMetaContext,
    message: { id: 0xffff_fffe, name: 'base:allocation' },
  },
  {
    name: 'LIST_META_CONTEXT and SET_META_CONTEXT',
    bytes: encodeMetaContextRequest({ exportName: 'disk', queries: ['base:', 'x-ä:ö'] }),
    parse: parseMetaContextRequest,
    message: { exportName: 'disk', queries: ['base:', 'x-ä:ö'] },
  },
];

describe.each(framed)('data of $name', ({ bytes, parse, message }) => {
  test('is read as it was written', () => {
    expect(parse(bytes)).toEqual(message);
  });

  test('cut short is never read as the same', () => {
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(parse(bytes.subarray(0, cut)), `after ${cut} bytes`).not.toEqual(message);
    }
  });

  test('of another type is malformed, or another message', () => {
    const other = Buffer.from(bytes);
    other[1] = 0x7f;
    expect(parse(other)).not.toEqual(message);
  });
});

test('T19 an option reply above the bound is told before its data comes', () => {
  const header = encodeOptionReply(3, OptionReplyType.SERVER, new Uint8Array(LENGTH_MAX + 1)).subarray(0, 20);
  expect(parseOptionReply(header, LENGTH_MAX)).toBe('too-long');
  expect(parseOptionReply(header, LENGTH_MAX + 1)).toBe('incomplete');
});

test('T18 HAS_FLAGS is always sent', () => {
  const facts = { sizeBytes: 0n, transmissionFlags: 0 };
  expect(parseInfoExport(encodeInfoExport(facts))).toMatchObject({ transmissionFlags: 1 });
  expect(parseExportNameReply(encodeExportNameReply(facts, true), true)).toMatchObject({
    transmissionFlags: 1,
  });
});

test('T5 a block size that the specification forbids is not announced', () => {
  const good = DISK.blockSize;
  for (const wrong of [
    { minimum: 0 },
    { minimum: 3 },
    { minimum: 128 * 1024, preferred: 128 * 1024 },
    { preferred: 256 },
    { minimum: 4096, preferred: 2048 },
    { preferred: 5000 },
    { payloadMaximum: 2048 },
  ]) {
    expect(() => encodeInfoBlockSize({ ...good, ...wrong })).toThrow();
  }
});

test('a size beyond 64 bits is not announced', () => {
  for (const sizeBytes of [-1n, 2n ** 64n]) {
    expect(() => encodeInfoExport({ sizeBytes, transmissionFlags: 1 })).toThrow();
    expect(() => encodeExportNameReply({ sizeBytes, transmissionFlags: 1 }, true)).toThrow();
  }
});

test('an option with data has it behind its header', () => {
  expect(text(encodeOption(7, Buffer.from('data')).subarray(16))).toBe('data');
});
