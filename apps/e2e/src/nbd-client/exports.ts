import path from 'node:path';
import { succeed } from '../support/command.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { serveNbdkit, serveNbdServer, serveQemu, type Launcher } from './servers.js';

/** An export of a real server. */
export interface ExportCase {
  readonly title: string;
  readonly program: 'holdfast' | 'nbdkit' | 'qemu-nbd' | 'nbd-server';
  /** @returns the URI */
  readonly serve: (launcher?: Launcher) => Promise<string>;
}

const nbdkit = (title: string, ...args: readonly string[]): ExportCase => ({
  title: `nbdkit, ${title}`,
  program: 'nbdkit',
  serve: async (launcher = []) => (await serveNbdkit(args, { launcher })).uri,
});

const qemu = (title: string, image: () => Promise<readonly string[]> | readonly string[]): ExportCase => ({
  title: `qemu-nbd, ${title}`,
  program: 'qemu-nbd',
  serve: async (launcher = []) => (await serveQemu(await image(), launcher)).uri,
});

const raw = (...options: readonly string[]) => [
  ...options,
  '-f',
  'raw',
  makeImage(8 * MIB, { fill: 'sparse' }),
];

/** Exports that differ in every fact that `nbd info` tells. */
export const exportCases: readonly ExportCase[] = [
  {
    title: 'holdfast',
    program: 'holdfast',
    serve: async () => (await startHoldfast({ images: [makeImage(5 * MIB + 512)] })).uri('unix'),
  },
  {
    title: 'holdfast, read-only over TCP',
    program: 'holdfast',
    serve: async () => (await startHoldfast({ images: [makeImage(MIB)], args: ['--read-only'] })).uri('tcp'),
  },
  nbdkit('a disk in memory', 'memory', '3M'),
  nbdkit('read-only', '-r', 'memory', '1M'),
  nbdkit('simple replies', '--no-sr', 'memory', '1M'),
  nbdkit('an odd size', 'memory', '1000001'),
  nbdkit('no bytes', 'null', '0'),
  nbdkit('the largest size', 'memory', '9223372036854775296b'),
  nbdkit('no zeroing', '--filter=nozero', 'memory', '1M'),
  nbdkit('one connection', '--filter=multi-conn', 'memory', '1M', 'multi-conn-mode=disable'),
  nbdkit(
    'reading and writing only',
    'eval',
    'get_size=echo 1M',
    'pread=dd if=/dev/zero bs=$3 count=1',
    'pwrite=cat',
  ),
  nbdkit(
    'block sizes',
    ...['--filter=blocksize-policy', 'memory', '1M', 'blocksize-minimum=4096'],
    ...['blocksize-preferred=65536', 'blocksize-maximum=1048576', 'blocksize-error-policy=error'],
  ),
  nbdkit(
    'a rotational disk that cannot be written to',
    ...['eval', 'get_size=echo 1M', 'pread=dd if=/dev/zero bs=$3 count=1', 'is_rotational=exit 0'],
  ),
  nbdkit(
    'a name and a description',
    ...['--filter=exportname', 'memory', '1M', 'default-export=dïsk "1"'],
    ...['exportname-list=defaultonly', 'exportdesc=fixed:a "disk"'],
  ),
  qemu('read and write', () => raw()),
  qemu('read-only with a description', () => raw('-r', '-D', 'a disk "of" QEMU')),
  qemu('metadata contexts', async () => ['-A', '-B', 'marks', '-f', 'qcow2', await makeQcow2()]),
  {
    title: 'nbd-server',
    program: 'nbd-server',
    serve: async () => (await serveNbdServer(makeImage(2 * MIB))).uri,
  },
];

/** A qcow2 image over a base, with a dirty bitmap `marks`: part absent, part its own, part of the base. */
export async function makeQcow2(): Promise<string> {
  const folder = scratchFolder();
  const base = path.join(folder, 'base.qcow2');
  const top = path.join(folder, 'top.qcow2');
  await succeed('qemu-img', ['create', '-q', '-f', 'qcow2', base, '16M']);
  await succeed('qemu-io', ['-f', 'qcow2', '-c', 'write -P 1 1M 2M', base]);
  await succeed('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', top]);
  await succeed('qemu-img', ['bitmap', '--add', top, 'marks']);
  await succeed('qemu-io', ['-f', 'qcow2', '-c', 'write -P 2 4M 1M', '-c', 'write -z 8M 1M', top]);
  return top;
}
