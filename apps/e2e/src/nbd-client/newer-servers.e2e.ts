import { describe, expect, it } from 'vitest';
import { runHoldfast } from '../support/holdfast-program.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { newerClients, requireNewerClients } from '../support/newer-clients.js';
import { copy, expectSameFile, newPath } from './copy-scene.js';
import { exportCases, makeQcow2 } from './exports.js';
import { expectSameInfo, expectSameList, expectSameMap } from './same-answers.js';
import { serveNbdkit, serveQemu, type Launcher } from './servers.js';

const SIZE = 24 * MIB;

const newer: Launcher = [newerClients];

describe.skipIf(requireNewerClients.missing)(
  `holdfast nbd and programs of extended headers ${requireNewerClients.note}`,
  () => {
    const cases = exportCases.filter(({ program }) => program !== 'nbd-server');

    it.each(cases)('info and list tell the same of $title as nbdinfo does', async ({ serve }) => {
      const uri = await serve(newer);
      await expectSameInfo(uri, newer);
      await expectSameList(uri, newer);
    });

    it('qemu-nbd has extended headers, and its maps are told as nbdinfo does', async () => {
      const { uri } = await serveQemu(['-A', '-B', 'marks', '-f', 'qcow2', await makeQcow2()], newer);
      expect((await runHoldfast(['nbd', 'info', '--has', 'extended-headers', uri])).code).toBe(0);
      for (const context of ['base:allocation', 'qemu:allocation-depth', 'qemu:dirty-bitmap:marks']) {
        await expectSameMap(uri, context, newer);
      }
    });

    it('holdfast is mapped as nbdinfo does, by extended headers', async () => {
      await using holdfast = await startHoldfast({ images: [makeImage(SIZE, { fill: 'sparse' })] });
      await expectSameMap(holdfast.uri('unix'), 'base:allocation', newer);
    });

    it.each(['random', 'sparse'] as const)(
      'a %s image is copied out of qemu-nbd and into it',
      async (fill) => {
        const image = makeImage(SIZE, { fill });
        const { uri } = await serveQemu(['-f', 'raw', image], newer);
        const copied = newPath();
        await copy(uri, copied);
        await expectSameFile(copied, image);
        const other = makeImage(SIZE, { fill });
        await copy(other, uri);
        await expectSameFile(image, other);
      },
    );

    it('an image is copied from nbdkit to qemu-nbd', async () => {
      const [image, target] = [makeImage(SIZE), makeImage(SIZE, { fill: 'empty' })];
      const from = await serveNbdkit(['file', image], { launcher: newer });
      const to = await serveQemu(['-f', 'raw', target], newer);
      await copy(from.uri, to.uri);
      await expectSameFile(target, image);
    });
  },
);
