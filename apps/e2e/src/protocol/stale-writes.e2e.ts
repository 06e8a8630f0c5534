import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { makeImage, MIB } from '../support/image.js';
import { listSessions } from '../support/instance-facts.js';
import { transports, type Transport } from '../support/ready-line.js';
import { errorOf, readBytes, readReply } from './conversation.js';
import { expectBytes } from './expect-bytes.js';
import { replyModes, type ReplyMode } from './reply-modes.js';
import { engines, serving } from './serving.js';
import { onTmpfs, sharedMemoryFolder } from './shared-memory.js';
import { Cmd, CmdFlag, Err } from './spec-numbers.js';
import { request, requestIn } from './wire.js';

/** Where old and new writes go. */
const REGION = 64 * 1024;
const BLOCK = 4096;
const SLOW_SIZE = 64 * MIB;

/** How the old client goes, and how many writes it leaves in the queue: FIN comes only behind what fits the server. */
const departures = [
  { how: 'reset', transport: 'tcp', queued: 1000, rounds: 20 },
  { how: 'close', transport: 'tcp', queued: 30, rounds: 10 },
  { how: 'close', transport: 'unix', queued: 1000, rounds: 20 },
] as const;

describe.each(engines)('a client that comes back, $engine engine', ({ engine, env }) => {
  const suite = serving({
    engine,
    env,
    images: () => [
      makeImage(MIB, { fill: 'empty', name: 'disk' }),
      ...(onTmpfs.missing
        ? []
        : [makeImage(SLOW_SIZE, { fill: 'empty', name: 'slow', folder: sharedMemoryFolder() })]),
    ],
  });

  const oldWrite = (index: number, mode: ReplyMode = 'simple') =>
    requestIn(mode, {
      type: Cmd.WRITE,
      flags: CmdFlag.FUA,
      cookie: BigInt(index),
      offset: (index * BLOCK) % REGION,
      payload: Buffer.alloc(BLOCK, 0x0d),
    });

  /** The next connection writes the region anew; once the old session is over, nothing of it may be there. */
  async function writeAnew(exportName: string, transport: Transport, value: number) {
    const client = await suite.enter(exportName, transport);
    const payload = Buffer.alloc(REGION, value);
    expect(await errorOf(client, { type: Cmd.WRITE, offset: 0, payload })).toBe(Err.OK);
    await eventually('the old session to end', async () => (await listSessions(suite.holdfast)).length === 1);
    expectBytes(await readBytes(client, 0, REGION), payload);
    client.close();
    await suite.idle();
  }

  it.each(departures)(
    'T17 old writes never land over new ones: $how over $transport with $queued queued, $rounds times (simple, structured, extended)',
    async ({ how, transport, queued, rounds }) => {
      for (let round = 0; round < rounds; round++) {
        const mode = replyModes[round % replyModes.length] ?? 'simple';
        const client = await suite.enter('disk', transport, mode);
        client.send(oldWrite(0, mode));
        await readReply(client, 0n);
        client.send(...Array.from({ length: queued }, (_, index) => oldWrite(index, mode)));
        // With more than a batch queued, the first is done and the next is being done.
        if (queued > 100) await readReply(client, 0n);
        client[how]();
        await writeAnew('disk', transport, 0x80 + round);
      }
    },
  );

  it.skipIf(onTmpfs.missing).each(transports)(
    `T17 old work that takes longer than a moment is fenced, over %s ${onTmpfs.note}`,
    async (transport) => {
      const client = await suite.enter('slow', transport);
      const zero = { type: Cmd.WRITE_ZEROES, flags: CmdFlag.NO_HOLE, offset: 0, length: SLOW_SIZE };
      expect(await errorOf(client, zero)).toBe(Err.OK);
      // Half a minute of work, and 28 KB of it.
      client.send(...Array.from({ length: 1000 }, () => request(zero)));
      await eventually('the work to begin', async () => {
        const [session] = await listSessions(suite.holdfast);
        return session !== undefined && session.requests > 0n;
      });
      client.reset();
      const began = performance.now();
      await writeAnew('slow', transport, 0xff);
      expect(performance.now() - began).toBeLessThan(15_000);
    },
  );

  it.each(transports)(
    'T17 the writes of a client that stays are neither fenced nor lost, over %s',
    async (transport) => {
      const staying = await suite.enter('disk', transport);
      const writes = Array.from({ length: 200 }, (_, index) => index);
      staying.send(...writes.map((index) => oldWrite(index)));
      for (let count = 0; count < 5; count++) {
        const passing = await suite.enter('disk', transport);
        passing.send(request({ type: Cmd.WRITE, offset: 2 * REGION, payload: Buffer.alloc(BLOCK, count) }));
        passing.reset();
      }
      for (const index of writes) expect((await readReply(staying, BigInt(index))).error).toBe(Err.OK);
      expectBytes(suite.imageBytes(0, REGION), Buffer.alloc(REGION, 0x0d));
    },
  );
});
