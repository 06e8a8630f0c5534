import { statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, succeed, type Finished } from '../support/command.js';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB, sha256 } from '../support/image.js';
import { newerClients, requireNewerClients } from '../support/newer-clients.js';
import { transports } from '../support/ready-line.js';
import { illegalAnswers, illegalScript } from './illegal-requests.js';

const SIZE = 32 * MIB;

function newer(...command: readonly string[]): Promise<Finished> {
  return succeed(newerClients, command);
}

describe.skipIf(requireNewerClients.missing).each(engines)(
  `clients with extended headers, $engine engine ${requireNewerClients.note}`,
  ({ env }) => {
    let holdfast: Holdfast;
    let image: string;

    beforeAll(async () => {
      image = makeImage(SIZE, { fill: 'sparse' });
      const target = makeImage(SIZE, { fill: 'empty', name: 'target.img', folder: path.dirname(image) });
      holdfast = await startHoldfast({ images: [image, target], env });
    });

    describe.each(transports)('over %s', (transport) => {
      it('N11 nbdinfo says that packets are extended', async () => {
        const { stdout } = await newer('nbdinfo', holdfast.uri(transport, 'disk.img'));
        expect(stdout).toContain('using extended packets');
      });

      it('nbdcopy copies out and in, and everything is equal', async () => {
        const copy = path.join(path.dirname(image), `copy-${transport}`);
        await newer('nbdcopy', holdfast.uri(transport, 'disk.img'), copy);
        expect(await sha256(copy)).toBe(await sha256(image));
        const target = path.join(path.dirname(image), 'target.img');
        await newer('nbdcopy', '--flush', copy, holdfast.uri(transport, 'target.img'));
        expect(await sha256(target)).toBe(await sha256(image));
        // Holes were told and kept: of the image, one MiB is there.
        expect(statSync(copy).blocks * 512).toBeLessThan(2 * MIB);
      });

      it('T12 nbdinfo and qemu-img map the same', async () => {
        const uri = holdfast.uri(transport, 'disk.img');
        const info = JSON.parse((await newer('nbdinfo', '--map', '--json', uri)).stdout) as {
          offset: number;
          length: number;
          type: number;
        }[];
        const qemu = JSON.parse(
          (await newer('qemu-img', 'map', '-f', 'raw', '--output=json', uri)).stdout,
        ) as { start: number; length: number; data: boolean }[];
        const data = [[SIZE / 2, MIB]];
        expect(info.filter(({ type }) => type === 0).map(({ offset, length }) => [offset, length])).toEqual(
          data,
        );
        expect(qemu.filter((one) => one.data).map(({ start, length }) => [start, length])).toEqual(data);
      });

      it('qemu-img compares', async () => {
        const uri = holdfast.uri(transport, 'disk.img');
        await newer('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', uri, image);
      });

      it('qemu-io and qemu-img write, although QEMU leaves out a flag that every WRITE must have', async () => {
        const uri = holdfast.uri(transport, 'target.img');
        const commands = ['write -P 7 4096 65536', 'read -P 7 4096 65536', 'write -P 8 -f 1M 3M', 'flush'];
        const { stdout } = await newer(
          'qemu-io',
          '-f',
          'raw',
          ...commands.flatMap((one) => ['-c', one]),
          uri,
        );
        expect(stdout).not.toMatch(/failed/);
        const source = holdfast.uri(transport, 'disk.img');
        await newer('qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', source, uri);
        await newer('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', source, uri);
      });

      it('nbdsh without its strict mode gets the errors of the rules, and goes on', async () => {
        const script = illegalScript(holdfast.uri(transport, 'target.img'), 'extended');
        const { code, stdout, stderr } = await run('bash', [newerClients, 'nbdsh', '-c', script]);
        expect(stderr).toBe('');
        expect(stdout.trim().split('\n')).toEqual(illegalAnswers('extended'));
        expect(code).toBe(0);
      });
    });
  },
);
