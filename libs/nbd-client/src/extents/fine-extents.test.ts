import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, type TestContext } from 'vitest';
import { connect } from '../connect.js';
import type { NbdConnection } from '../nbd-connection.js';
import { connectToScript } from '../testing/connected.js';
import { SECTOR_BYTES, serveFineExtents, TIB } from '../testing/fine-extents.js';
import { needs, startServer } from '../testing/real-server.js';
import { temporaryFolder } from '../testing/scripted-server.js';

/*
 * 1 TiB of sectors that are data and holes by turns: 2^31 extents. No file system of 4 KiB blocks has such a file, so the
 * server's machine is asked with a scripted disk. HOLDFAST_FINE_EXTENTS=whole walks all of it, which takes half an hour.
 */
const isWhole = process.env['HOLDFAST_FINE_EXTENTS'] === 'whole';

/** Without that, so much of the beginning, the middle and the end: 2^20 extents each, many replies. */
const PORTION_BYTES = 2 ** 20 * SECTOR_BYTES;
const PLACES = [0, TIB / 2 - PORTION_BYTES / 2, TIB - PORTION_BYTES];

/** The output buffer of the worker's threads. */
const OUTPUT_BYTES = 1024 * 1024;

/** Buffers of a few replies, and what the collector has not come to yet. A list of all extents would be 32 GiB. */
const GROWTH_BYTES_MAX = 192 * 1024 * 1024;

const WALK_MS = isWhole ? 7_200_000 : 120_000;

const MODES = ['structured', 'extended'] as const;

function open(mode: (typeof MODES)[number], outputBytes = OUTPUT_BYTES): Promise<NbdConnection> {
  const served = { mode, sizeBytes: TIB, contexts: { 'base:allocation': 1 } };
  return connectToScript(served, (peer) => serveFineExtents(peer, mode, outputBytes), {
    metaContexts: ['base:allocation'],
  });
}

/** Walks, and holds every extent against what the disk is. @returns how many there were, and the memory it took */
async function walk(connection: NbdConnection, offset: number, length: number) {
  const before = process.memoryUsage().rss;
  const sector = BigInt(SECTOR_BYTES);
  let growthBytes = 0;
  let count = 0;
  let at = BigInt(offset);
  for await (const extent of connection.extents('base:allocation', offset, length)) {
    const flags = (at / sector) % 2n === 0n ? 0n : 3n;
    if (extent.offset !== at || extent.length !== sector || extent.flags !== flags) {
      throw new Error(
        `extent ${String(count)} is ${String(extent.length)} bytes at ${String(extent.offset)}`,
      );
    }
    at += sector;
    count += 1;
    if (count % 65_536 === 0) growthBytes = Math.max(growthBytes, process.memoryUsage().rss - before);
  }
  expect(at).toBe(BigInt(offset + length));
  return { count, growthBytes };
}

test.each(MODES)(
  `T11 T19 A6 1 TiB of alternating sectors, %s replies: the client's walk comes to its end in bounded memory${isWhole ? ', the whole' : ''}`,
  async (mode) => {
    const connection = await open(mode);
    for (const place of isWhole ? [0] : PLACES) {
      const length = isWhole ? TIB : PORTION_BYTES;
      const { count, growthBytes } = await walk(connection, place, length);
      if (isWhole)
        process.stdout.write(`${String(count)} extents, ${String(growthBytes)} bytes more memory\n`);
      expect(count).toBe(length / SECTOR_BYTES);
      expect(growthBytes).toBeLessThan(GROWTH_BYTES_MAX);
    }
    await connection.disconnect();
  },
  WALK_MS,
);

test.each(MODES)(
  'T11 A5 however much room there is for a reply, %s replies have at most 2^20 extents, and the client takes them all',
  async (mode) => {
    const connection = await open(mode, 40 * 1024 * 1024);
    const most = mode === 'extended' ? TIB : 0xffff_fe00;
    const [all] = await connection.blockStatus(0, most);
    expect(all?.extents.count).toBe(2 ** 20);
    expect(all?.extents.totalLength).toBe(BigInt(2 ** 20 * SECTOR_BYTES));
    const [last] = await connection.blockStatus(TIB - SECTOR_BYTES, SECTOR_BYTES);
    expect(last?.extents.count).toBe(1);
    const [one] = await connection.blockStatus(5 * SECTOR_BYTES, 10 * SECTOR_BYTES, { reqOne: true });
    expect([one?.extents.count, one?.extents.lengthOf(0), one?.extents.flagsOf(0)]).toEqual([1, 512n, 3n]);
    await connection.disconnect();
  },
);

/**
 * A plugin of nbdkit: 1 TiB of zeroes, of which every other sector is said to be a hole. At most 2^16 extents a time. The
 * numbers are texts of integers, since awk would round them.
 */
const PLUGIN = [
  'eval',
  `get_size=echo ${String(TIB)}`,
  'pread=head -c $3 /dev/zero',
  'can_extents=exit 0',
  `extents=awk -v count="$3" -v at="$4" 'BEGIN {
    end = at + count
    for (n = 0; at < end && n < 65536; n += 1) {
      sector = int(at / 512)
      printf "%.0f %d %s\\n", at, (sector + 1) * 512 - at, sector % 2 ? "hole,zero" : "data"
      at = (sector + 1) * 512
    }
  }'`,
];

async function nbdkit(context: TestContext): Promise<NbdConnection> {
  needs(context, 'nbdkit', 'awk');
  const socket = path.join(temporaryFolder(), 'nbd.sock');
  await startServer(['nbdkit', '-f', '-U', socket, ...PLUGIN], { path: socket });
  expect(existsSync(socket)).toBe(true);
  const connection = await connect(`nbd+unix:///?socket=${socket}`, { metaContexts: ['base:allocation'] });
  onTestFinished(() => {
    connection.destroy();
  });
  return connection;
}

test(
  'A6 nbdkit: alternating sectors in three places of 1 TiB are walked to the end in bounded memory',
  async (context) => {
    const connection = await nbdkit(context);
    // Its script makes each extent by printing a line, so these are fewer.
    const length = 2 ** 17 * SECTOR_BYTES;
    for (const place of [0, TIB / 2, TIB - length]) {
      const { count, growthBytes } = await walk(connection, place, length);
      expect(count).toBe(length / SECTOR_BYTES);
      expect(growthBytes).toBeLessThan(GROWTH_BYTES_MAX);
    }
    await connection.disconnect();
  },
  WALK_MS,
);
