import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { balancedLedger } from '../support/balanced-ledger.js';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession, openWhenServed } from '../support/nbd-session.js';
import { transports } from '../support/ready-line.js';
import { runSeed, SeededRandom } from '../support/seeded-random.js';
import { hasDirectIo } from '../support/direct-io.js';
import { SLOT_BYTES, Slot } from './slot.js';

const WRITERS = 6;
const SLOTS_EACH = 6;
const ROUNDS = 5;
/** How long they write before the next kill, at most. */
const WRITING_MS_MAX = 250;

const hows = [
  { how: 'page cache', args: [] },
  ...(hasDirectIo() ? [{ how: 'direct I/O', args: ['--direct-io'] }] : []),
];
const kinds = engines.flatMap((engine) => hows.map((how) => ({ ...engine, ...how })));

describe.each(kinds)('kill -9 in the middle of writes, $engine engine, $how', ({ env, args }) => {
  it(`T13 keeps every write that was answered whole, and of others old or new sectors (seed ${String(runSeed)})`, async () => {
    const random = new SeededRandom(runSeed);
    const slots = Array.from({ length: WRITERS * SLOTS_EACH }, (_, index) => new Slot(index));
    const image = makeImage(slots.length * SLOT_BYTES + MIB, { fill: 'empty' });
    const options = { images: [image], env, args };
    let holdfast: Holdfast = await startHoldfast(options);
    let answered = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const sessions: NbdSession[] = [await openWhenServed(holdfast, 'disk.img')];
      while (sessions.length < WRITERS) {
        sessions.push(await NbdSession.open(holdfast, 'disk.img', random.pick(transports)));
      }
      const writing = sessions.map((session, index) =>
        writeUntilCut(session, slots.slice(index * SLOTS_EACH, (index + 1) * SLOTS_EACH), random),
      );
      await delay(20 + random.int(WRITING_MS_MAX));
      // Twice all of it, else the worker alone.
      if (round % 2 === 1) {
        await holdfast.killEverything();
        holdfast = await startHoldfast({ ...options, state: holdfast.state });
      } else {
        await holdfast.restarted('io-worker', holdfast.kill('io-worker'));
      }
      for (const count of await Promise.all(writing)) answered += count;
      const reader = await openWhenServed(holdfast, 'disk.img');
      for (const slot of slots) {
        const { error, data } = await reader.read(slot.offset, SLOT_BYTES);
        expect(error).toBe(0);
        slot.check(data);
      }
      reader.hangUp();
    }
    expect(answered).toBeGreaterThan(ROUNDS * WRITERS);
    await balancedLedger(holdfast);
    await holdfast[Symbol.asyncDispose]();
  }, 120_000);
});

/** Writes one slot after the other, each again and again. @returns how many writes were answered before it was cut off */
async function writeUntilCut(
  session: NbdSession,
  slots: readonly Slot[],
  random: SeededRandom,
): Promise<number> {
  for (let answered = 0; ; answered++) {
    const slot = random.pick(slots);
    try {
      const fua = random.chance(50);
      expect((await session.write(slot.offset, slot.begin(), { fua })).error).toBe(0);
      if (!fua) expect((await session.flush()).error).toBe(0);
    } catch (error) {
      if (error instanceof Error && error.name === 'AssertionError') throw error;
      return answered;
    }
    slot.answered();
  }
}
