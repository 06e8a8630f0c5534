import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { makeImage, MIB } from '../support/image.js';
import { getGateway, getWorker, listLeases, listSessions } from '../support/instance-facts.js';
import { comeAndGo } from './abrupt-client.js';
import { enter, readBytes } from './conversation.js';
import { expectBytes } from './expect-bytes.js';
import { footprints, settled } from './footprints.js';
import { ownBytes } from './process-memory.js';
import { runSeed, SeededRandom } from '../support/seeded-random.js';
import { serving } from './serving.js';

const CLIENTS = 200;
const AT_ONCE = 10;
const CONNECTIONS_MAX = 40;
/** What a garbage-collected process takes and gives at its own time; a leaked session costs at least its buffers. */
const GROWTH_MAX = 64 * MIB;

describe('what clients leave behind', () => {
  const suite = serving({
    images: () => [makeImage(4 * MIB)],
    // Two sessions on threads, those beyond on the event loop.
    env: { HOLDFAST_WORKER_THREADS: '2', HOLDFAST_CONNECTIONS_MAX: String(CONNECTIONS_MAX) },
  });

  async function clients(count: number, random: SeededRandom): Promise<void> {
    for (let gone = 0; gone < count; gone += AT_ONCE) {
      // Each with its own numbers: those of clients at the same time would come in any order.
      const seeds = Array.from({ length: AT_ONCE }, () => random.int(2 ** 31));
      await Promise.all(seeds.map((seed) => comeAndGo(suite.holdfast, new SeededRandom(seed))));
      // A new batch is not to meet the limit that the last one fills.
      await suite.idle();
    }
  }

  it(`T17 ${String(CLIENTS)} clients that are gone abruptly leave nothing behind (seed ${String(runSeed)})`, async () => {
    const random = new SeededRandom(runSeed);
    // The first clients make what stays: pools, caches, compiled code.
    await clients(4 * AT_ONCE, random);
    const before = await settled(suite.holdfast);
    const pids = suite.holdfast.pids();
    const memoryBefore = [...pids.values()].map(ownBytes);

    await clients(CLIENTS, random);

    expect(await listLeases(suite.holdfast)).toEqual([]);
    expect(await listSessions(suite.holdfast)).toEqual([]);
    const { threads, threadsBusy, eventLoopSessions } = await getWorker(suite.holdfast);
    expect({ threads, threadsBusy, eventLoopSessions }).toEqual({
      threads: 2,
      threadsBusy: 0,
      eventLoopSessions: 0,
    });
    expect((await getGateway(suite.holdfast)).negotiating).toBe(0);
    await eventually(`footprints as before: ${JSON.stringify(before)}`, () => {
      return JSON.stringify(footprints(suite.holdfast)) === JSON.stringify(before);
    });
    expect(suite.holdfast.pids()).toEqual(pids);
    for (const [index, pid] of [...pids.values()].entries()) {
      expect(ownBytes(pid) - (memoryBefore[index] ?? 0)).toBeLessThan(GROWTH_MAX);
    }
  });

  it('N10 who is gone is not counted: as many connections as may be get in afterwards', async () => {
    const image = suite.imageBytes(0, 4096);
    for (let count = 0; count < CONNECTIONS_MAX; count++) {
      const client = await suite.connect(count % 2 === 0 ? 'tcp' : 'unix');
      await enter(client);
      expectBytes(await readBytes(client, 0, 4096), image);
    }
  });
});
