import { statSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, succeed, type Finished } from '../support/command.js';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { requireCommands } from '../support/requirements.js';

const needs = requireCommands('qemu-io');
const SIZE = 16 * MIB;

describe.skipIf(needs.missing).each(engines)(`qemu-io with the $engine engine ${needs.note}`, ({ env }) => {
  let holdfast: Holdfast;
  let image: string;

  beforeAll(async () => {
    image = makeImage(SIZE);
    holdfast = await startHoldfast({ images: [image], env });
  });

  describe.each(transports)('over %s', (transport) => {
    it('reads back the pattern that another connection wrote', async () => {
      await qemuIo(holdfast.uri(transport), 'write -P 0xa5 1M 1M', 'write -P 0x5a 3071k 33k', 'flush');
      await qemuIo(holdfast.uri(transport), 'read -P 0xa5 1M 1M', 'read -P 0x5a 3071k 33k');
    });

    it('notices a pattern that differs', async () => {
      await qemuIo(holdfast.uri(transport), 'write -P 1 0 4k');
      const { stdout } = await run('qemu-io', ['-f', 'raw', '-c', 'read -P 2 0 4k', holdfast.uri(transport)]);
      expect(stdout).toContain('Pattern verification failed');
    });

    it('writes with FUA, up to the last byte', async () => {
      await qemuIo(holdfast.uri(transport), 'write -f -P 0x77 16320k 64k', 'read -P 0x77 16320k 64k');
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
      // In units of 512 bytes. A server may do nothing; ours punches a hole where the file system can.
      expect(before - statSync(image).blocks).toBeGreaterThan((7 * MIB) / 512);
    });

    it('has 32 requests in flight', async () => {
      const at = Array.from({ length: 32 }, (_, n) => `-P ${String(n + 1)} ${String(n * 64)}k 64k`);
      const writes = at.map((one) => `aio_write ${one}`);
      await qemuIo(holdfast.uri(transport), ...writes, 'aio_flush', ...at.map((one) => `read ${one}`));
    });

    it('reaches the only export by the empty name too', async () => {
      const [location, query] = holdfast.uri(transport, 'disk.img').split('disk.img');
      await qemuIo(holdfast.uri(transport), 'write -P 0x3c 2M 1M');
      await qemuIo(`${location ?? ''}${query ?? ''}`, 'read -P 0x3c 2M 1M');
    });
  });
});

/** Runs qemu-io, which ends with 0 also after a pattern that differs. */
async function qemuIo(uri: string, ...commands: readonly string[]): Promise<Finished> {
  const finished = await succeed('qemu-io', ['-f', 'raw', ...commands.flatMap((one) => ['-c', one]), uri]);
  expect(finished.stdout).not.toMatch(/failed|error/i);
  expect(finished.stderr).toBe('');
  return finished;
}
