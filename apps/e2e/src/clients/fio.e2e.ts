import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { succeed } from '../support/command.js';
import { enginesAndTransports } from '../support/engines.js';
import { fioVerify } from '../support/fio.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { listLeases } from '../support/instance-facts.js';
import { eventually } from '../support/eventually.js';
import { requireFio } from '../support/fio.js';
import { scratchFolder } from '../support/scratch-folder.js';

const CONNECTIONS = 4;
const PER_CONNECTION = 12 * MIB;

describe.skipIf(requireFio.missing).each(enginesAndTransports)(
  `fio over $transport with the $engine engine ${requireFio.note}`,
  ({ env, transport }) => {
    let holdfast: Holdfast;

    beforeAll(async () => {
      holdfast = await startHoldfast({
        images: [makeImage(CONNECTIONS * PER_CONNECTION, { fill: 'empty' })],
        env,
      });
    });

    it.each(['4k', '4k-256k'])(
      'verifies crc32c of random writes of %s, 32 in flight on each of four connections',
      async (blocks) => {
        const uri = holdfast.uri(transport);
        const { stdout } = await succeed(
          'fio',
          fioVerify({ uri, connections: CONNECTIONS, bytesEach: PER_CONNECTION, blocks }),
          { cwd: scratchFolder() },
        );

        const { jobs } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as FioReport;
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

interface FioReport {
  readonly jobs: readonly {
    readonly error: number;
    readonly read: { readonly io_bytes: number };
    readonly write: { readonly io_bytes: number };
  }[];
}
