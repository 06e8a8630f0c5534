import { describe, expect, test } from 'vitest';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { expectBytes } from '../testing/expect-bytes.js';
import { MemoryDriver, OFFER_ALL } from '../testing/memory-driver.js';
import { serveByReference } from '../testing/reference-server.js';
import { cutAt, inChunks, pattern, requestBytes, type RequestText } from '../testing/wire.js';

const IMAGE = pattern(8192);

const everyCommand: RequestText[] = [
  { type: Command.READ, cookie: 1n, offset: 100, length: 700 },
  { type: Command.WRITE, cookie: 2n, offset: 4090, payload: pattern(150, 5) },
  { type: Command.FLUSH, cookie: 3n },
  { type: Command.WRITE, cookie: 4n, offset: 8190, payload: pattern(40, 6) },
  { type: Command.WRITE_ZEROES, cookie: 5n, flags: CommandFlag.NO_HOLE, offset: 50, length: 60 },
  { type: 99, cookie: 6n },
  { type: Command.TRIM, cookie: 7n, offset: 4100, length: 20 },
  { type: Command.READ, cookie: 8n, offset: 0, length: 4500 },
  { type: Command.DISC },
];
const short: RequestText[] = [
  { type: Command.WRITE, cookie: 1n, offset: 3, payload: pattern(30, 5) },
  { type: Command.READ, cookie: 2n, length: 40 },
  { type: Command.DISC },
];

const stream = Buffer.concat(everyCommand.map(requestBytes));
const shortStream = Buffer.concat(short.map(requestBytes));

const buffers = [
  { name: 'buffers that hold everything', inputBytes: 64 * 1024, outputBytes: 64 * 1024 },
  { name: 'buffers that hold hardly anything', inputBytes: 64, outputBytes: 64 },
];

function expectReference(chunks: readonly Uint8Array[], sizes: { inputBytes: number; outputBytes: number }) {
  const driver = new MemoryDriver({ image: IMAGE, ...sizes }).serve(chunks);
  const reference = serveByReference(Buffer.concat(chunks), {
    image: IMAGE,
    transmissionFlags: OFFER_ALL,
    blockSizeMinimum: 1,
    payloadMaximum: 32 * 1024 * 1024,
  });
  expectBytes(driver.sent, reference.replies);
  expectBytes(driver.image, reference.image);
  expect(driver.closeReason).toBe(reference.closeReason);
}

describe.each(buffers)('with $name', (sizes) => {
  test('a session split at every offset is served alike', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) expectReference(cutAt(stream, cut), sizes);
  });

  test('a short session split at every pair of offsets is served alike', () => {
    for (let first = 0; first <= shortStream.length; first += 1) {
      for (let second = first; second <= shortStream.length; second += 1) {
        expectReference(cutAt(shortStream, first, second), sizes);
      }
    }
  });

  test('a session that comes byte by byte is served alike', () => {
    expectReference(inChunks(stream, [1]), sizes);
  });

  test('a session that breaks off at any offset answers what was whole', () => {
    for (let end = 0; end <= shortStream.length; end += 1) {
      const driver = new MemoryDriver({ image: IMAGE, ...sizes }).serve([shortStream.subarray(0, end)]);
      const reasons = ['end-of-stream', 'truncated-request', 'disconnect'];
      expect(reasons).toContain(driver.closeReason);
      expect(driver.sent.length).toBe(end >= 86 ? 72 : end >= 58 ? 16 : 0);
    }
  });
});
