import { describe, expect, it } from 'vitest';
import { run, succeed } from '../support/command.js';
import { holdfastProgram, runHoldfast } from '../support/holdfast-program.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { requireCommands } from '../support/requirements.js';
import { makeQcow2 } from './exports.js';
import { expectSameMap } from './same-answers.js';
import { serveNbdkit, serveQemu } from './servers.js';

const needs = requireCommands('nbdinfo', 'nbdkit', 'qemu-nbd', 'qemu-img', 'qemu-io');
const ALLOCATION = 'base:allocation';

describe.skipIf(needs.missing)(`nbd map against nbdinfo --map ${needs.note}`, () => {
  it('holdfast: holes and data, and how deep they lie', async () => {
    await using holdfast = await startHoldfast({ images: [makeImage(64 * MIB, { fill: 'sparse' })] });
    await expectSameMap(holdfast.uri('tcp'), ALLOCATION);
    await expectSameMap(holdfast.uri('tcp'), 'qemu:allocation-depth');
  });

  it.each(['memory 0', 'memory 1000001', 'full 8G', 'null 1T'])('nbdkit %s', async (plugin) => {
    const { uri } = await serveNbdkit(plugin.split(' '));
    await expectSameMap(uri, ALLOCATION);
  });

  it('qemu-nbd: allocation, its depth and a dirty bitmap of a qcow2 image', async () => {
    const { uri } = await serveQemu(['-A', '-B', 'marks', '-f', 'qcow2', await makeQcow2()]);
    for (const context of [ALLOCATION, 'qemu:allocation-depth', 'qemu:dirty-bitmap:marks']) {
      await expectSameMap(uri, context);
    }
  });

  it('T19 of hundreds of thousands of extents is told with a small heap, and word for word the same', async () => {
    const { uri } = await serveNbdkit(['sparse-random', '40G', 'seed=1', 'percent=10', 'runlength=16384']);
    const { stdout } = await succeed(process.execPath, [
      '--max-old-space-size=32',
      holdfastProgram,
      'nbd',
      'map',
      uri,
    ]);
    expect(stdout.split('\n').length).toBeGreaterThan(200_000);
    const theirs = await succeed('nbdinfo', ['--map', uri]);
    expect(stdout === theirs.stdout).toBe(true);
  });

  it('ends without an error when its reader has seen enough', async () => {
    const { uri } = await serveNbdkit(['sparse-random', '1G', 'seed=1', 'percent=10', 'runlength=16384']);
    const command = `"${process.execPath}" "${holdfastProgram}" nbd map "${uri}" | head -n 1`;
    const { code, stderr } = await run('bash', ['-o', 'pipefail', '-c', command]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each([['memory'], ['--no-sr', 'memory']])(
    'a context that is not there is an error of its own: %s',
    async (...args) => {
      const { uri } = await serveNbdkit([...args, '1M']);
      const { code, stderr } = await runHoldfast(['nbd', 'map', '--context', 'x:y', '--json', uri]);
      expect(code).toBe(1);
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'NBD_CONTEXT_NOT_OFFERED' } });
    },
  );
});
