import { beforeAll, describe, expect, it } from 'vitest';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { parseFioReport, requireFio, startFio } from '../support/fio.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases } from '../support/instance-facts.js';
import { transports } from '../support/ready-line.js';

const CONNECTIONS = 4;
const PER_CONNECTION = 12 * MIB;
const cases = transports.flatMap((transport) => ['4k', '4k-256k'].map((blocks) => ({ transport, blocks })));

describe.skipIf(requireFio.missing).each(engines)(
  `fio with the $engine engine ${requireFio.note}`,
  ({ env }) => {
    let holdfast: Holdfast;

    beforeAll(async () => {
      const image = makeImage(CONNECTIONS * PER_CONNECTION, { fill: 'empty' });
      holdfast = await startHoldfast({ images: [image], env });
    });

    it.each(cases)(
      'verifies crc32c of random writes of $blocks over $transport, 32 in flight on each of four connections',
      async ({ transport, blocks }) => {
        const uri = holdfast.uri(transport);
        const load = { uri, connections: CONNECTIONS, bytesEach: PER_CONNECTION, blocks };
        const { code, stdout, stderr } = await startFio(load).finished;

        expect(code, stdout + stderr).toBe(0);
        const jobs = parseFioReport(stdout);
        expect(jobs).toHaveLength(CONNECTIONS);
        for (const job of jobs) {
          expect(job.error).toBe(0);
          expect(job.write.io_bytes).toBe(PER_CONNECTION);
          expect(job.read.io_bytes).toBe(PER_CONNECTION);
        }
        await eventually('the leases to end', async () => (await listLeases(holdfast)).length === 0);
      },
    );
  },
);
