import { statSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, succeed, type Finished } from '../support/command.js';
import { enginesAndTransports } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { requireCommands } from '../support/requirements.js';

const needs = requireCommands('qemu-io');
const SIZE = 16 * MIB;

describe.skipIf(needs.missing).each(enginesAndTransports)(
  `qemu-io over $transport with the $engine engine ${needs.note}`,
  ({ env, transport }) => {
    let holdfast: Holdfast;
    let image: string;

    beforeAll(async () => {
      image = makeImage(SIZE);
      holdfast = await startHoldfast({ images: [image], env });
    });

    it('reads back the pattern that another connection wrote', async () => {
      await qemuIo(holdfast.uri(transport), 'write -P 0xa5 1M 1M', 'write -P 0x5a 3071k 33k', 'flush');
      await qemuIo(holdfast.uri(transport), 'read -P 0xa5 1M 1M', 'read -P 0x5a 3071k 33k');
    });

    it('notices a pattern that differs', async () => {
      await qemuIo(holdfast.uri(transport), 'write -P 1 0 4k');
      const { stdout } = await run('qemu-io', ['-f', 'raw', '-c', 'read -P 2 0 4k', holdfast.uri(transport)]);
      expect(stdout).toContain('Pattern verification failed');
    });

    it('T13 writes with FUA', async () => {
      await qemuIo(holdfast.uri(transport), 'write -f -P 0x77 5M 64k', 'read -P 0x77 5M 64k');
    });

    it('T14 writes zeroes, with and without giving the space back', async () => {
      const uri = holdfast.uri(transport);
      await qemuIo(uri, 'write -P 0xff 6M 2M', 'write -z 6M 1M', 'write -z -u 7M 1M', 'read -P 0 6M 2M');
    });

    it('discards, and the image gives the space back', async () => {
      const uri = holdfast.uri(transport);
      await qemuIo(uri, 'write -P 0xee 8M 8M', 'flush');
      const before = statSync(image).blocks;
      await qemuIo(uri, 'discard 8M 8M', 'flush');
      // 512-byte blocks; a hole was punched (T14 lets a server do nothing, ours does where the file system can).
      expect(before - statSync(image).blocks).toBeGreaterThan((7 * MIB) / 512);
    });

    it('T4 is refused what lies past the end, and the connection goes on', async () => {
      const { stdout } = await qemuIo(holdfast.uri(transport), 'write -P 9 16383k 1k', 'read -P 9 16383k 1k');
      expect(stdout).toContain('read 1024/1024');
    });

    it('has 32 requests in flight', async () => {
      const writes = Array.from(
        { length: 32 },
        (_, n) => `aio_write -P ${String(n + 1)} ${String(n * 64)}k 64k`,
      );
      const reads = Array.from({ length: 32 }, (_, n) => `read -P ${String(n + 1)} ${String(n * 64)}k 64k`);
      await qemuIo(holdfast.uri(transport), ...writes, 'aio_flush', ...reads);
    });
  },
);

/** Runs qemu-io, which ends with 0 also after a pattern that differs. */
async function qemuIo(uri: string, ...commands: readonly string[]): Promise<Finished> {
  const finished = await succeed('qemu-io', ['-f', 'raw', ...commands.flatMap((one) => ['-c', one]), uri]);
  expect(finished.stdout).not.toMatch(/failed|error/i);
  expect(finished.stderr).toBe('');
  return finished;
}
