import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { AllocationState, TransmissionFlag } from '@holdfast/nbd-protocol';
import { expect, onTestFinished, test, type TestContext } from 'vitest';
import { connect, negotiate, type ConnectOptions } from './connect.js';
import type { Extent } from './extents/extent-list.js';
import type { NbdConnection } from './nbd-connection.js';
import { expectBytes } from './testing/expect-bytes.js';
import { freePort, needs, run, startServer, untilListening } from './testing/real-server.js';
import { temporaryFolder } from './testing/scripted-server.js';
import { pattern } from './testing/wire.js';

const SIZE = 8 * 1024 * 1024;
const AT = 1024 * 1024;
const DATA_BYTES = 65_536;

/** A sparse file of 8 MiB with 64 KiB of data at 1 MiB. */
function makeImage(folder: string): string {
  const image = path.join(folder, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, SIZE);
  const file = openSync(image, 'r+');
  writeSync(file, pattern(DATA_BYTES), 0, DATA_BYTES, AT);
  closeSync(file);
  return image;
}

/** Starts a server on a Unix socket. @returns its URI */
async function serve(
  context: TestContext,
  program: string,
  args: (socket: string, image: string) => readonly string[],
): Promise<string> {
  needs(context, program);
  const folder = temporaryFolder();
  const socket = path.join(folder, 'nbd.sock');
  await startServer([program, ...args(socket, makeImage(folder))], { path: socket });
  return `nbd+unix:///disk?socket=${socket}`;
}

const qemu = (context: TestContext) =>
  serve(context, 'qemu-nbd', (socket, image) => [
    '-t',
    '-e',
    '8',
    '-f',
    'raw',
    '-x',
    'disk',
    '-D',
    'a disk of QEMU',
    '-k',
    socket,
    image,
  ]);
const nbdkit = (context: TestContext, ...more: readonly string[]) =>
  serve(context, 'nbdkit', (socket, image) => ['-f', '-U', socket, ...more, 'file', image]);

async function gather(extents: AsyncIterable<Extent>): Promise<Extent[]> {
  const all: Extent[] = [];
  for await (const extent of extents) all.push(extent);
  return all;
}

/** Uses whatever the server offers, and checks what can be checked. */
async function useEverything(connection: NbdConnection): Promise<void> {
  const offers = (flag: number) => (connection.exportInfo.transmissionFlags & flag) !== 0;
  expectBytes(await connection.read(AT, DATA_BYTES), pattern(DATA_BYTES));
  expectBytes(await connection.read(AT + DATA_BYTES, 4096), Buffer.alloc(4096));
  if (offers(TransmissionFlag.SEND_DF)) {
    expectBytes(await connection.read(AT, 4096, { df: true }), pattern(4096));
  }
  const fua = offers(TransmissionFlag.SEND_FUA);
  const parts = Array.from({ length: 64 }, (_, index) => pattern(4096, index));
  await Promise.all(parts.map((part, index) => connection.write(index * 4096, part, { fua })));
  await connection.flush();
  const target = Buffer.alloc(64 * 4096);
  await connection.readInto(target, 0);
  expectBytes(target, Buffer.concat(parts));
  if (offers(TransmissionFlag.SEND_WRITE_ZEROES)) {
    await connection.writeZeroes(0, 4096, { noHole: true });
    expectBytes(await connection.read(0, 4096), Buffer.alloc(4096));
  }
  if (offers(TransmissionFlag.SEND_TRIM)) await connection.trim(4096, 4096);
  if (offers(TransmissionFlag.SEND_CACHE)) await connection.cache(0, DATA_BYTES);
}

const starts: Readonly<Record<string, (context: TestContext) => Promise<string>>> = {
  'qemu-nbd': qemu,
  nbdkit,
  'nbdkit with one request at a time': (context) =>
    nbdkit(context, '--threads=1', '--filter=noparallel', '--filter=nozero'),
};
const variants: readonly (readonly [string, ConnectOptions])[] = [
  ['what is best', {}],
  ['simple replies', { structuredReplies: false }],
  ['three requests in flight and poisoned buffers', { inFlightMax: 3, poisonReceived: true }],
];
for (const [name, start] of Object.entries(starts)) {
  for (const [variant, options] of variants) {
    test(`${name}: everything that it offers, with ${variant}`, async (context) => {
      const uri = await start(context);
      const connection = await connect(uri, options);
      expect(connection.exportInfo.sizeBytes).toBe(BigInt(SIZE));
      await useEverything(connection);
      await connection.disconnect();
      expect(await connection.closed).toBe(undefined);
    });
  }

  test(`A6 ${name}: the extents of a sparse file cover it, and tell the truth`, async (context) => {
    const uri = await start(context);
    const connection = await connect(uri, { metaContexts: ['base:allocation'], poisonReceived: true });
    expect(connection.replyMode).not.toBe('simple');
    const extents = await gather(connection.extents('base:allocation'));
    expect(extents.reduce((at, { offset, length }) => (offset === at ? at + length : -1n), 0n)).toBe(
      BigInt(SIZE),
    );
    const zero = BigInt(AllocationState.ZERO);
    for (const { offset, length, flags } of extents) {
      if ((flags & zero) === 0n) continue;
      const bytes = await connection.read(offset, length);
      expectBytes(bytes, Buffer.alloc(bytes.length));
    }
    // Where a file system knows holes, the data is told from them.
    const [one] = await connection.blockStatus(AT, DATA_BYTES, { reqOne: true });
    expect((one?.extents.flagsOf(0) ?? zero) & zero).toBe(0n);
    expect(one?.extents.count).toBe(1);
    await connection.disconnect();
  });
}

test('qemu-nbd: exports are listed and described, and one that it does not have is refused', async (context) => {
  const uri = await qemu(context);
  await using negotiation = await negotiate(uri);
  expect(await negotiation.list()).toEqual([{ name: 'disk', description: 'a disk of QEMU' }]);
  const info = await negotiation.info('disk');
  expect(info).toMatchObject({
    name: 'disk',
    canonicalName: 'disk',
    description: 'a disk of QEMU',
    sizeBytes: BigInt(SIZE),
  });
  expect(info.blockSize?.payloadMaximum).toBe(32 * 1024 * 1024);
  expect(await negotiation.listMetaContexts('disk')).toContain('base:allocation');
  expect(await negotiation.listMetaContexts('disk', ['base:'])).toEqual(['base:allocation']);
  await expect(negotiation.info('none')).rejects.toMatchObject({ replyName: 'ERR_UNKNOWN' });
  // The handshake goes on after a refusal.
  expect(await negotiation.info('disk')).toEqual(info);
});

test('qemu-nbd: requests that are not legal are answered by name, and the connection lives on', async (context) => {
  const uri = await qemu(context);
  const connection = await connect(uri, { strict: false });
  await expect(connection.read(SIZE, 512)).rejects.toMatchObject({ errorName: 'EINVAL' });
  await expect(connection.trim(SIZE, 512)).rejects.toMatchObject({
    errorName: 'EINVAL',
    serverMessage: expect.stringContaining('operation past EOF') as string,
  });
  await expect(connection.blockStatus(0, 512)).rejects.toMatchObject({ errorName: 'EINVAL' });
  await expect(connection.probe({ type: 99, flags: 0, offset: 0, length: 0 })).rejects.toMatchObject({
    errorName: 'EINVAL',
  });
  expect(await connection.read(AT, 4)).toEqual(pattern(4));
  await connection.disconnect();
});

test('nbdkit: an error of its plugin is told by name', async (context) => {
  const uri = await serve(context, 'nbdkit', (socket) => [
    ...['-f', '-U', socket, '--filter=error', 'memory', '1M'],
    ...['error-pwrite=ENOSPC', 'error-pwrite-rate=100%'],
  ]);
  const connection = await connect(uri);
  await expect(connection.write(0, Buffer.alloc(512))).rejects.toMatchObject({ errorName: 'ENOSPC' });
  expect(await connection.read(0, 512)).toHaveLength(512);
  await connection.disconnect();
});

test('Law 7 nbdkit: a disk of 8 EiB is addressed beyond 2^53, and its extents are walked', async (context) => {
  const size = (1n << 63n) - 512n;
  const uri = await serve(context, 'nbdkit', (socket) => ['-f', '-U', socket, 'memory', `${String(size)}b`]);
  const connection = await connect(uri, { metaContexts: ['base:allocation'] });
  const far = size - 4096n;
  await connection.write(far, pattern(4096));
  expectBytes(await connection.read(far, 4096), pattern(4096));
  expectBytes(await connection.read(far - 4096n, 4096), Buffer.alloc(4096));
  const extents = await gather(connection.extents('base:allocation', far - 65_536n));
  expect(extents.at(-1)).toMatchObject({ flags: 0n });
  expect(extents.at(0)).toMatchObject({ offset: far - 65_536n, flags: 3n });
  await connection.disconnect();
});

test('nbd-server: one that knows no chunks is served by simple replies, over TCP', async (context) => {
  needs(context, 'nbd-server');
  const folder = temporaryFolder();
  const image = makeImage(folder);
  const port = await freePort();
  const config = path.join(folder, 'config');
  writeFileSync(
    config,
    `[generic]\nport = ${String(port)}\nlistenaddr = 127.0.0.1\n[disk]\nexportname = ${image}\nflush = true\nfua = true\n`,
  );
  const pidFile = path.join(folder, 'pid');
  // It goes into the background by itself; with -d it would serve one connection only.
  run('nbd-server', '-C', config, '-p', pidFile);
  await untilListening({ port });
  onTestFinished(() => {
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
  });
  const connection = await connect(`nbd://127.0.0.1:${String(port)}/disk`, {
    metaContexts: ['base:allocation'],
  });
  expect([connection.replyMode, connection.metaContexts]).toEqual(['simple', []]);
  await useEverything(connection);
  await connection.disconnect();
});
