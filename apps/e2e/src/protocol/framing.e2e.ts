import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { ask, errorOf, readBytes, readReply, send } from './conversation.js';
import { expectBytes } from './expect-bytes.js';
import type { RawClient } from './raw-client.js';
import { replyModes } from './reply-modes.js';
import { engines, serving } from './serving.js';
import { Cmd, Err } from './spec-numbers.js';
import { request, simpleReply } from './wire.js';

const SIZE = 64 * MIB;

describe.each(engines)('framing by the $engine engine', ({ engine, env }) => {
  const suite = serving({ engine, env, images: () => [makeImage(SIZE)] });

  /** Sends bytes in pieces, each of which the server has had the time to read before the next. */
  async function inPieces(client: RawClient, other: RawClient, ...pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      await client.sent(piece);
      await readBytes(other, 0, 1);
    }
  }

  it.each(transports)('T1 a request may be split anywhere, over %s', async (transport) => {
    const client = await suite.enter('', transport);
    const other = await suite.enter('', transport);
    const payload = Buffer.from('a payload of its own');
    const write = request({ type: Cmd.WRITE, cookie: 0xabcdn, offset: 4321, payload });
    const read = request({ type: Cmd.READ, cookie: 0xdcban, offset: 4321, length: payload.length });
    const stream = Buffer.concat([write, read]);
    for (let cut = 1; cut < stream.length; cut++) {
      await inPieces(client, other, stream.subarray(0, cut), stream.subarray(cut));
      const expected = Buffer.concat([simpleReply(0xabcdn, 0), simpleReply(0xdcban, 0, payload)]);
      expect(await client.read(expected.length), `cut at ${String(cut)}`).toEqual(expected);
    }
  });

  it.each([1, 7, 1000])('T1 a payload may dribble in, %i bytes at a time', async (step) => {
    const client = await suite.enter();
    const other = await suite.enter('', 'unix');
    const payload = randomBytes(60 * step + 3);
    await inPieces(
      client,
      other,
      request({ type: Cmd.WRITE, cookie: 3n, offset: 999, payload }).subarray(0, 28),
    );
    for (let at = 0; at < payload.length; at += step) {
      await inPieces(client, other, payload.subarray(at, at + step));
    }
    expect((await readReply(client, 3n)).error).toBe(Err.OK);
    expectBytes(suite.imageBytes(999, payload.length), payload);
  });

  it.each(transports)('T1 a thousand reads at once are answered in order, over %s', async (transport) => {
    const client = await suite.enter('', transport);
    const reads = Array.from({ length: 1000 }, (_, index) => ({
      cookie: BigInt(index),
      offset: ((index * 7919) % 15_000) * 4096,
    }));
    client.send(...reads.map((read) => request({ type: Cmd.READ, length: 4096, ...read })));
    for (const { cookie, offset } of reads) {
      const { error, data } = await readReply(client, cookie, 4096);
      expect(error).toBe(Err.OK);
      expectBytes(data, suite.imageBytes(offset, 4096));
    }
    expect(client.buffered).toBe(0);
  });

  it.each(transports)('T5 reads and writes of 32 MiB are whole, over %s', async (transport) => {
    const client = await suite.enter('', transport);
    const payload = randomBytes(32 * MIB);
    const offset = 31 * MIB + 12_345;
    // Small ones around them show that the stream stays in sync.
    client.send(request({ type: Cmd.READ, cookie: 1n, offset: 5, length: 5 }));
    client.send(request({ type: Cmd.WRITE, cookie: 2n, offset, payload }));
    client.send(request({ type: Cmd.READ, cookie: 3n, offset, length: 32 * MIB }));
    client.send(request({ type: Cmd.READ, cookie: 4n, offset: 9, length: 9 }));
    expectBytes((await readReply(client, 1n, 5)).data, suite.imageBytes(5, 5));
    expect((await readReply(client, 2n)).error).toBe(Err.OK);
    expectBytes((await readReply(client, 3n, 32 * MIB)).data, payload);
    expectBytes((await readReply(client, 4n, 9)).data, suite.imageBytes(9, 9));
    expectBytes(suite.imageBytes(offset, 32 * MIB), payload);
  });

  describe.each(replyModes)('with replies of the %s form', (mode) => {
    it('T1 reads of every kind of length and place are right', async () => {
      const client = await suite.enter('', undefined, mode);
      const image = suite.imageBytes(0, SIZE);
      const lengths = [
        1,
        511,
        4095,
        4097,
        32_767,
        32_768,
        32_769,
        131_056,
        131_072,
        262_144,
        524_288,
        600_001,
        MIB + 1,
      ];
      for (const length of lengths) {
        for (const offset of [0, 1, 4095, 65_535, SIZE - length]) {
          expectBytes(await readBytes(client, offset, length), image.subarray(offset, offset + length));
        }
      }
    });

    it('T1 writes of every kind of length and place are right', async () => {
      const client = await suite.enter('', undefined, mode);
      const image = suite.imageBytes(0, SIZE);
      for (const length of [1, 4097, 65_508, 131_072, 262_116, 262_144, 524_260, 524_288, 700_001]) {
        for (const offset of [3, 8191, SIZE - length]) {
          const payload = randomBytes(length);
          expect(await errorOf(client, { type: Cmd.WRITE, offset, payload })).toBe(Err.OK);
          payload.copy(image, offset);
        }
      }
      expectBytes(suite.imageBytes(0, SIZE), image);
    });

    it('T16 cookies are echoed bit for bit', async () => {
      const client = await suite.enter('', undefined, mode);
      const cookies = [0n, 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, 0x67446698_25609513n];
      for (let bit = 0n; bit < 64n; bit++) cookies.push(1n << bit, 2n ** 64n - 1n - (1n << bit));
      for (const cookie of cookies) {
        expect((await ask(client, { type: Cmd.READ, cookie, length: 1 })).error).toBe(Err.OK);
        expect(await errorOf(client, { type: Cmd.WRITE, cookie, payload: Buffer.alloc(1) })).toBe(Err.OK);
        expect(await errorOf(client, { type: 99, cookie, length: 1 })).toBe(Err.EINVAL);
      }
      // All of them at once, the same one among them many times.
      const all = [...cookies, ...Array.from({ length: 100 }, () => 5n)];
      send(client, ...all.map((cookie) => ({ type: Cmd.FLUSH, cookie })));
      for (const cookie of all) expect((await readReply(client, cookie)).error).toBe(Err.OK);
      expect(client.buffered).toBe(0);
    });
  });
});
