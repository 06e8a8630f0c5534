import { describe, expect, test } from 'vitest';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { expectBytes } from '../testing/expect-bytes.js';
import { MemoryDriver, OFFER_ALL, OFFER_MORE } from '../testing/memory-driver.js';
import type { ReplyMode } from '../handshake/reply-mode.js';
import { expectAnswers } from '../testing/expect-answers.js';
import { serveByReference } from '../testing/reference-server.js';
import { cutAt, filterBytes, inChunks, pattern, requestBytesIn, type RequestText } from '../testing/wire.js';

const CONTEXT = { id: 7, name: 'base:allocation' };
const states = { [CONTEXT.name]: new Uint8Array(8192).fill(3, 1000, 1300) };
const IMAGE = pattern(8192).fill(0, 1000, 1300);

const everyCommand: RequestText[] = [
  { type: Command.READ, cookie: 1n, offset: 100, length: 700 },
  { type: Command.WRITE, cookie: 2n, offset: 4090, payload: pattern(150, 5) },
  { type: Command.FLUSH, cookie: 3n },
  { type: Command.WRITE, cookie: 4n, offset: 8190, payload: pattern(40, 6) },
  { type: Command.WRITE_ZEROES, cookie: 5n, flags: CommandFlag.NO_HOLE, offset: 50, length: 60 },
  { type: 99, cookie: 6n },
  { type: Command.TRIM, cookie: 7n, offset: 4100, length: 20 },
  { type: Command.CACHE, cookie: 7n, offset: 4100, length: 20 },
  { type: Command.READ, cookie: 8n, offset: 0, length: 4500 },
  { type: Command.BLOCK_STATUS, cookie: 9n, offset: 900, length: 1000 },
];
/** What there is with extended headers only. */
const extendedCommands: RequestText[] = [
  { type: Command.BLOCK_STATUS, cookie: 10n, offset: 900, payload: filterBytes(200, CONTEXT.id) },
  { type: Command.TRIM, cookie: 11n, offset: 5, payload: pattern(70) },
  { type: Command.READ, cookie: 12n, offset: 2n ** 63n, length: 2n ** 63n },
];
const shortest: RequestText[] = [
  { type: Command.WRITE, cookie: 1n, offset: 3, payload: pattern(30, 5) },
  { type: Command.READ, cookie: 2n, length: 40 },
];

const disc = { type: Command.DISC };
const short: Readonly<Record<ReplyMode, RequestText[]>> = {
  simple: shortest,
  structured: shortest,
  extended: [...shortest.slice(0, 1), ...extendedCommands.slice(0, 1), ...shortest.slice(1)],
};

function streamOf(replyMode: ReplyMode, requests: readonly RequestText[]): Buffer {
  return Buffer.concat([...requests, disc].map((request) => requestBytesIn(replyMode, request)));
}

const buffers = [
  { name: 'simple replies', replyMode: 'simple', inputBytes: 64 * 1024, outputBytes: 64 * 1024 },
  { name: 'simple replies in small buffers', replyMode: 'simple', inputBytes: 64, outputBytes: 64 },
  { name: 'structured replies', replyMode: 'structured', inputBytes: 64 * 1024, outputBytes: 64 * 1024 },
  { name: 'structured replies in small buffers', replyMode: 'structured', inputBytes: 64, outputBytes: 256 },
  { name: 'extended headers', replyMode: 'extended', inputBytes: 64 * 1024, outputBytes: 64 * 1024 },
  { name: 'extended headers in small buffers', replyMode: 'extended', inputBytes: 64, outputBytes: 256 },
] as const;

interface Setting {
  readonly replyMode: ReplyMode;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

function expectReference(chunks: readonly Uint8Array[], setting: Setting) {
  const { replyMode } = setting;
  const subject = {
    image: IMAGE,
    states,
    metaContexts: replyMode === 'simple' ? [] : [CONTEXT],
    transmissionFlags: OFFER_ALL | OFFER_MORE[replyMode],
    blockSizeMinimum: 1,
    payloadMaximum: 32 * 1024 * 1024,
    replyMode,
  };
  const driver = new MemoryDriver({ ...subject, ...setting }).serve(chunks);
  const reference = serveByReference(Buffer.concat(chunks), subject);
  if (replyMode === 'simple') expectBytes(driver.sent, reference.replies);
  else expectAnswers(driver.sent, reference.answers, replyMode, subject);
  expectBytes(driver.image, reference.image);
  expect(driver.closeReason).toBe(reference.closeReason);
}

describe.each(buffers)('$name', (setting) => {
  const { replyMode } = setting;
  const more = replyMode === 'extended' ? extendedCommands : [];
  const stream = streamOf(replyMode, [...everyCommand, ...more]);
  const shortStream = streamOf(replyMode, short[replyMode]);

  test('a session split at every offset is served alike', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) expectReference(cutAt(stream, cut), setting);
  });

  test('a short session split at every pair of offsets is served alike', () => {
    for (let first = 0; first <= shortStream.length; first += 1) {
      for (let second = first; second <= shortStream.length; second += 1) {
        expectReference(cutAt(shortStream, first, second), setting);
      }
    }
  });

  test('a session that comes byte by byte is served alike', () => {
    expectReference(inChunks(stream, [1]), setting);
  });

  test('a session that breaks off at any offset answers what was whole', () => {
    for (let end = 0; end < shortStream.length; end += 1) {
      expectReference([shortStream.subarray(0, end)], setting);
    }
  });
});
