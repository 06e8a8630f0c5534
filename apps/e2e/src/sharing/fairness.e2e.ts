import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask, enter } from '../protocol/conversation.js';
import { closeRawClients, RawClient } from '../protocol/raw-client.js';
import { engines } from '../protocol/serving.js';
import { Cmd } from '../protocol/spec-numbers.js';
import { request } from '../protocol/wire.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { GreedyClient, type Greed } from './greedy-client.js';

const KIB = 1024;
const REQUESTS = 200;
const GREEDY_CLIENTS = 3;

/**
 * How much longer half of a modest client's requests may take beside greedy ones: four of them share two processors with
 * their server, and with whatever else the machine does.
 */
const SLOWER_MAX = 50;
/** What a processor that is taken away costs, in milliseconds. */
const SCHEDULED_MS = 10;

const NO_HOLE = 2;

/** The image: data, and behind it a block of data and a hole by turns. */
const SOLID_BYTES = 8 * MIB;
const FRAGMENTED_BYTES = 8 * MIB;
const FRAGMENT_BYTES = 4 * KIB;

/** What a client may do that wants everything. */
const greeds: Readonly<Record<string, Greed>> = {
  'reads of 4 KiB': greedOf({ type: Cmd.READ, length: 4 * KIB }, 1024),
  'reads of 28 KiB': greedOf({ type: Cmd.READ, length: 28 * KIB }, 1024),
  'reads of 1 MiB': greedOf({ type: Cmd.READ, length: MIB }, 64),
  'writes of 4 KiB': greedOf({ type: Cmd.WRITE, length: 4 * KIB, payload: Buffer.alloc(4 * KIB) }, 256),
  'writes of 1 MiB': greedOf({ type: Cmd.WRITE, length: MIB, payload: Buffer.alloc(MIB) }, 64),
  'zeroes that are kept provisioned': greedOf(
    { type: Cmd.WRITE_ZEROES, flags: NO_HOLE, length: 8 * MIB },
    64,
  ),
  'zeroes that are holes': greedOf({ type: Cmd.WRITE_ZEROES, length: 8 * MIB }, 256),
  'trims of 4 KiB': greedOf({ type: Cmd.TRIM, length: 4 * KIB }, 1024),
  'writes of 256 KiB that are trimmed at once': {
    request: Buffer.concat([
      request({ type: Cmd.WRITE, length: 256 * KIB, payload: Buffer.alloc(256 * KIB, 1) }),
      request({ type: Cmd.TRIM, length: 256 * KIB }),
    ]),
    answerBytes: 2 * 16,
    depth: 64,
  },
  'questions about thousands of holes': {
    request: request({ type: Cmd.BLOCK_STATUS, offset: SOLID_BYTES, length: FRAGMENTED_BYTES }),
    answerBytes: 'chunks',
    depth: 64,
  },
  'requests that are refused': greedOf({ type: 99, length: 1 }, 4096),
};

function greedOf(fields: Parameters<typeof request>[0], depth: number): Greed {
  const dataBytes = fields.type === Cmd.READ ? (fields.length ?? 0) : 0;
  return { request: request(fields), answerBytes: 16 + dataBytes, depth };
}

function makeFragmented(): string {
  const image = makeImage(SOLID_BYTES + FRAGMENTED_BYTES, { fill: 'empty' });
  const fd = openSync(image, 'r+');
  writeSync(fd, randomBytes(SOLID_BYTES), 0, SOLID_BYTES, 0);
  for (let at = 0; at < FRAGMENTED_BYTES; at += 2 * FRAGMENT_BYTES) {
    writeSync(fd, randomBytes(FRAGMENT_BYTES), 0, FRAGMENT_BYTES, SOLID_BYTES + at);
  }
  closeSync(fd);
  return image;
}

describe.each(engines)('a client beside greedy ones, $engine engine', ({ env }) => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeFragmented()], env: { ...env } });
  });
  afterEach(closeRawClients);

  /** What half of its requests take at most, in milliseconds. */
  async function medianOf(client: RawClient): Promise<number> {
    const times: number[] = [];
    for (let i = 0; i < REQUESTS; i++) {
      const began = performance.now();
      expect((await ask(client, { type: Cmd.READ, length: 4 * KIB })).error).toBe(0);
      times.push(performance.now() - began);
    }
    return times.sort((one, other) => one - other)[REQUESTS / 2] ?? 0;
  }

  it.each(Object.entries(greeds))('is answered about as soon as alone: %s', async (_what, greed) => {
    const client = await RawClient.connect(holdfast, 'unix');
    await enter(client);
    const alone = await medianOf(client);
    const greedy: GreedyClient[] = [];
    for (let i = 0; i < GREEDY_CLIENTS; i++) greedy.push(await GreedyClient.start(holdfast, greed));
    const before = await Promise.all(greedy.map((one) => one.answers()));
    const beside = await medianOf(client);
    // None of them starves either; what they ask for may take longer than all that the other has asked for.
    await eventually('all greedy clients to be answered', async () => {
      const after = await Promise.all(greedy.map((one) => one.answers()));
      return after.every((count, index) => count > (before[index] ?? 0));
    });
    await Promise.all(greedy.map((one) => one.stop()));
    expect(beside).toBeLessThan(alone * SLOWER_MAX + SCHEDULED_MS);
  });
});
