import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { balancedLedger } from '../support/balanced-ledger.js';
import type { Running } from '../support/command.js';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { endVerified, requireFio, startFio } from '../support/fio.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases, listSessions } from '../support/instance-facts.js';
import { openFds, osThreads } from '../support/process-facts.js';
import { transports } from '../support/ready-line.js';
import { runSeed, SeededRandom } from '../support/seeded-random.js';

const REGION = 8 * MIB;
/** Each a fio with two connections; two go on to the end, the others are killed again and again. */
const CLIENTS = 5;
const SURVIVORS = 2;
const KILLS = 12;
const CONNECTIONS = 2;

describe.skipIf(requireFio.missing).each(engines)(
  `clients that are killed, $engine engine ${requireFio.note}`,
  ({ env }) => {
    it(`kill -9 of some leaves the bytes of the others alone, and nothing of itself (seed ${String(runSeed)})`, async () => {
      const random = new SeededRandom(runSeed);
      const image = makeImage(CLIENTS * REGION, { fill: 'empty' });
      await using holdfast = await startHoldfast({ images: [image], env });
      const worker = holdfast.pidOf('io-worker');
      const begin = (client: number) =>
        startFio({
          uri: holdfast.uri(random.pick(transports)),
          connections: CONNECTIONS,
          firstByte: client * REGION,
          bytesEach: REGION / CONNECTIONS,
          blocks: '4k-64k',
          endlessMs: 120_000,
        });
      const rest = async () => {
        await eventually('the sessions to end', async () => (await listSessions(holdfast)).length === 0);
        await eventually('the leases to end', async () => (await listLeases(holdfast)).length === 0);
        await balancedLedger(holdfast);
      };
      const clients: Running[] = Array.from({ length: CLIENTS }, (_, client) => begin(client));
      const all = CLIENTS * CONNECTIONS;
      await eventually('all to be served', async () => (await listSessions(holdfast)).length === all);
      for (let kill = 0; kill < KILLS; kill++) {
        const victim = SURVIVORS + random.int(CLIENTS - SURVIVORS);
        clients[victim]?.child.kill('SIGKILL');
        await clients[victim]?.finished;
        await delay(random.int(200));
        clients[victim] = begin(victim);
      }
      await eventually('all to be served', async () => (await listSessions(holdfast)).length === all);
      await delay(1000);
      // Those that began last may not have come to read.
      await Promise.all(clients.map((client, index) => endVerified(client, index < SURVIVORS)));
      await rest();
      const before = { fds: openFds(worker).length, threads: osThreads(worker) };

      // As many once more: what they leave would add up.
      for (let kill = 0; kill < KILLS / 2; kill++) {
        const victim = begin(random.int(CLIENTS));
        await eventually('it to be served', async () => (await listSessions(holdfast)).length > 0);
        await delay(random.int(100));
        victim.child.kill('SIGKILL');
        await victim.finished;
      }
      await rest();
      await eventually('every descriptor to be closed', () => openFds(worker).length <= before.fds);
      expect(osThreads(worker)).toBeLessThanOrEqual(before.threads);
      expect(holdfast.pidOf('io-worker')).toBe(worker);
    }, 180_000);
  },
);
