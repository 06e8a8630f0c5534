import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { errorOf, readBytes } from './conversation.js';
import { expectBytes } from './expect-bytes.js';
import { mutatedSession } from './mutated-session.js';
import { RawClient } from './raw-client.js';
import { runSeed, SeededRandom } from '../support/seeded-random.js';
import { serving } from './serving.js';
import { Cmd, Err } from './spec-numbers.js';

const SESSIONS = 500;
const AT_ONCE = 10;
/** Less than a handshake may take: the server has to notice the end by itself. */
const END_MS = 8000;
const REPLY_MAGIC = Buffer.from('67446698', 'hex');

describe('hostile clients', () => {
  const suite = serving({ images: () => [makeImage(4 * MIB)], env: { HOLDFAST_WORKER_THREADS: '4' } });

  /** Sends a session in random pieces, shuts its side, and waits for the server to close. @returns all its answers */
  async function attack(random: SeededRandom): Promise<Buffer> {
    const stream = mutatedSession(random);
    const client = await RawClient.connect(suite.holdfast, random.pick(transports));
    for (let at = 0; at < stream.length && !client.ended;) {
      const size = 1 + random.int(random.pick([5, 100, 100_000]));
      await client.sent(stream.subarray(at, at + size));
      at += size;
    }
    client.halfClose();
    const answers = await client.readToEnd(END_MS);
    client.close();
    return answers;
  }

  it(`T7 ${String(SESSIONS)} broken sessions end, and harm no process (seed ${String(runSeed)})`, async () => {
    const random = new SeededRandom(runSeed);
    const pids = suite.holdfast.pids();
    let served = 0;
    for (let done = 0; done < SESSIONS; done += AT_ONCE) {
      const seeds = Array.from({ length: AT_ONCE }, () => random.int(2 ** 31));
      const attacks = seeds.map((seed) =>
        attack(new SeededRandom(seed)).catch((error: unknown) => {
          throw new Error(`the session of seed ${String(seed)}`, { cause: error });
        }),
      );
      for (const answers of await Promise.all(attacks)) if (answers.includes(REPLY_MAGIC)) served++;
    }
    // Not all of them failed at the door.
    expect(served).toBeGreaterThan(SESSIONS / 10);
    expect(suite.holdfast.pids()).toEqual(pids);
    for (const transport of transports) {
      const client = await suite.enter('disk.img', transport);
      const payload = Buffer.alloc(70_000, 0x42);
      expect(await errorOf(client, { type: Cmd.WRITE, offset: 1000, payload })).toBe(Err.OK);
      expectBytes(await readBytes(client, 1000, payload.length), payload);
    }
  });
});
