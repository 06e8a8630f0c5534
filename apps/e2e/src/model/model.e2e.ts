import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { postgresql, sqlite } from '../support/databases.js';
import { startHoldfast, type Holdfast, type ServiceName } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { isRoot, requirement } from '../support/requirements.js';
import { runSeed, SeededRandom } from '../support/seeded-random.js';
import { actions, crash } from './model-actions.js';
import { ModelDevice } from './model-device.js';

const needs = requirement({ root: isRoot, '/dev/loop-control': existsSync('/dev/loop-control') });
const databases = [
  { ...sqlite, steps: 1 },
  { ...postgresql, steps: 1 / 4 },
];

/** `HOLDFAST_E2E_STEPS` for a longer run. */
const STEPS = Number(process.env['HOLDFAST_E2E_STEPS'] ?? 3_000);
/** A crash costs as much time as a hundred other steps. */
const STEPS_PER_CRASH = 150;
const TRACE_SHOWN = 40;

const crashes: readonly (readonly ServiceName[])[] = [
  ['device-registry'],
  ['nbd-gateway'],
  ['io-worker'],
  ['device-registry', 'nbd-gateway'],
  ['device-registry', 'io-worker'],
  ['device-registry', 'io-worker', 'nbd-gateway'],
];

const wheel = Object.entries(actions).flatMap(([name, { weight, act }]) =>
  Array.from({ length: weight }, () => ({ name, act })),
);

describe.skipIf(needs.missing).each(databases)(
  `a model of the laws on $database ${needs.note}`,
  (database) => {
    const steps = STEPS * database.steps;

    let holdfast: Holdfast;
    let devices: readonly ModelDevice[];

    beforeAll(async () => {
      if (database.needs.missing) return;
      holdfast = await startHoldfast({ images: [makeImage(MIB)], env: await database.create() });
      devices = [
        new ModelDevice('m-file', 'file'),
        new ModelDevice('m-loop', 'loop'),
        new ModelDevice('m-block', 'block'),
      ];
      for (const { id, definition } of devices) {
        expect(await holdfast.cli('device', 'add', id, ...definition)).toMatchObject({ code: 0 });
        expect(await holdfast.cli('export', 'add', id, '--device', id)).toMatchObject({ code: 0 });
      }
    });

    it.skipIf(database.needs.missing)(
      `Law 1 Law 2 Law 3 Law 4 hold over ${String(steps)} random steps, HOLDFAST_E2E_SEED=${String(runSeed)} ${database.needs.note}`,
      async () => {
        const random = new SeededRandom(runSeed);
        const trace: string[] = [];
        try {
          for (let step = 1; step <= steps; step++) {
            if (random.int(STEPS_PER_CRASH) === 0) {
              const killed = random.pick(crashes);
              trace.push(`${String(step)} kill -9 ${killed.join(', ')}`);
              await crash(holdfast, devices, killed);
              continue;
            }
            const { name, act } = random.pick(wheel);
            const device = random.pick(devices);
            trace.push(`${String(step)} ${name} ${device.id}`);
            trace.push(`  ${await act(holdfast, device, random)}`);
          }
        } catch (error) {
          const shown = trace.slice(-TRACE_SHOWN).join('\n');
          throw new Error(`seed ${String(runSeed)}, after:\n${shown}\n${String(error)}`, { cause: error });
        }
        for (const device of devices) device.dropSessions();
        await eventually('a stop that finds nothing in use', async () => (await holdfast.stop()) === 0);
      },
      steps * 100,
    );
  },
);
